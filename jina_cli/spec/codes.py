"""What `jina explain CODE` says: of every code of a diagnostic, and of what a Pea says.

The codes of commands that fail are explained by their classes in `errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem: a short name, and what to know about it."""

    title: str
    text: str


CODES: Mapping[str, Code] = {
    # Keys and values, against the schema.
    "JNA101": Code(
        "unknown key",
        "The key is not known here, so it would have no effect. Mostly it is misspelt; the "
        "nearest known key is then named. With --lenient this is a warning.",
    ),
    "JNA102": Code(
        "wrong type",
        "The value is of another type than the key takes: text instead of a number, a list "
        "instead of a mapping, or nothing at all. Only true and false are booleans in YAML 1.2; "
        "yes, no, on and off are text. A number in quotes is text too.",
    ),
    "JNA103": Code(
        "value not allowed",
        "The key takes one of a few words, and this is none of them. `jina explain KEY` lists "
        "them.",
    ),
    "JNA104": Code(
        "value out of range",
        "The value is of the right type, but too small, too large, empty or badly formed.",
    ),
    "JNA105": Code(
        "key missing",
        "A key without which the mapping means nothing is not there, such as 'jtype' of an "
        "Executor.",
    ),
    "JNA106": Code(
        "key at the wrong level",
        "The key exists, but elsewhere: under 'gateway', in a Pod, in an Executor. Move it "
        "there. Often the indentation is wrong. With --lenient this is a warning, and the key "
        "has no effect.",
    ),
    "JNA107": Code(
        "key has another name now",
        "The key comes from an older Jina. Write the name that the message gives. With "
        "--lenient this is a warning, and the key has no effect.",
    ),
    "JNA108": Code(
        "not supported",
        "Jina knows this key, and here it cannot be honoured, for the reason given: it needs a "
        "cloud service, containers, or a part that does not exist here. Remove it.",
    ),
    "JNA109": Code(
        "no effect",
        "The key is accepted, so that files written for Jina work, but changes nothing here, "
        "for the reason given.",
    ),
    "JNA110": Code(
        "keys that do not go together",
        "Each key is right, and together they make no sense, or something is missing that one "
        "of them needs.",
    ),
    "JNA111": Code(
        "not a Flow",
        "The file does not say what it describes. A Flow begins with 'jtype: Flow', one Pod with "
        "'jtype: Deployment', an Executor with 'jtype:' and its class.",
    ),
    "JNA112": Code(
        "the published schema disagrees",
        "Our own checks let the Flow pass, and the published JSON schema, read by the reference "
        "validator, does not. One of the two is wrong, and that is for us to mend.",
    ),
    "JNA113": Code(
        "older spelling",
        "The key is read as the one that the message names. Nothing is wrong; the newer name is "
        "the one to be found in the documentation.",
    ),
    "JNA114": Code(
        "reads differently in YAML 1.1",
        "Older readers took yes, no, on and off for booleans and 010 for eight. YAML 1.2, which "
        "is read here, takes them for text and for ten. Quote the value, or write what is meant.",
    ),
    # How Pods depend on each other.
    "JNA201": Code(
        "unknown Pod",
        "'needs' names a Pod that is not in the Flow. 'gateway' stands for the request itself.",
    ),
    "JNA202": Code("a Pod needs itself", "A Pod cannot wait for its own answer."),
    "JNA203": Code(
        "Pods wait for each other",
        "The Pods in the message wait for each other in a circle, so none would ever start to "
        "work. Let one of them need 'gateway', or a Pod outside of the circle.",
    ),
    "JNA204": Code(
        "two Pods of one name",
        "Names of Pods tell their logs, workspaces and 'needs' apart, so each must be unique.",
    ),
    "JNA205": Code(
        "not a name",
        "Names of Pods are made of letters, digits and '_', with no digit first; 'gateway' is "
        "taken. They become parts of addresses, folders and parameters ('name__key').",
    ),
    "JNA206": Code(
        "needs a Pod that floats",
        "Nobody waits for the answer of a Pod with 'floating: true', so no other Pod can use it, "
        "unless it floats too.",
    ),
    "JNA207": Code(
        "a join of less than two",
        "'method: needs' joins the answers of at least two Pods.",
    ),
    "JNA208": Code(
        "protocols and ports differ in number",
        "The Gateway serves each protocol at a port of its own, in the same order: "
        "'protocol: [grpc, http]' with 'port: [51000, 8080]'. A port of 0 takes any free one.",
    ),
    "JNA209": Code(
        "port taken twice",
        "Two parts of the Flow would listen at the same port of this machine.",
    ),
    "JNA210": Code(
        "external Pod without an address",
        "A Pod with 'external: true' is run by somebody else; 'host' and 'port' say where.",
    ),
    "JNA211": Code(
        "GPUs cannot be dealt",
        "CUDA_VISIBLE_DEVICES with RR deals GPUs to replicas: RR for all, RR0:2 for a slice, "
        "RR1,3 for some.",
    ),
    "JNA212": Code(
        "Pod cannot run in another's process",
        "With 'runtime: inprocess' a Pod runs in the process of the Pod before it. That changes "
        "nothing but the time it takes, so it is done only where both run here, without shards, "
        "where no other Pod needs the first one, and where both have the same replicas, 'env' "
        "and other settings of a process. 'colocate: true' does it for all Pods that can.",
    ),
    # Variables.
    "JNA301": Code(
        "variable not set",
        "The file uses an environment variable that is not set. Export it, put it into a file "
        "for --env-file, or give a default: ${{ env.NAME | value }}. A plain dollar sign is $$.",
    ),
    "JNA302": Code(
        "value not given",
        "The file uses ${{ CONTEXT.x }} or ${{ x }}, and whoever loads it gave no such value.",
    ),
    "JNA303": Code(
        "reference to nothing",
        "${{ root.… }} and ${{ this.… }} stand for another single value of the same file, and "
        "there is none at that path.",
    ),
    "JNA304": Code(
        "variable badly written",
        "Write $NAME, ${NAME}, ${{ env.NAME }}, ${{ env.NAME | default }}, ${{ CONTEXT.name }}, "
        "${{ root.key[0].key }} or ${{ this.key }}. A plain dollar sign is $$.",
    ),
    "JNA305": Code(
        "value made of itself",
        "References lead back to the value they are part of.",
    ),
    # The text of a file.
    "JNA401": Code(
        "not YAML",
        "The text breaks the rules of YAML at this place; what follows was not looked at. Mostly "
        "it is indentation, a missing quote or bracket, or ': ' inside a value without quotes.",
    ),
    "JNA402": Code(
        "key twice",
        "The same key stands twice in one mapping. YAML forbids it, since one would silently win.",
    ),
    "JNA403": Code(
        "tag refused",
        "A file cannot make Python objects; it is only read as data. Tags that are a class name "
        "('!Flow') are read as 'jtype: Flow'.",
    ),
    "JNA404": Code(
        "too much repetition",
        "Aliases or references would blow a small file up to something huge, or without end.",
    ),
    "JNA405": Code("nested too deep", "Mappings and lists may be nested 100 levels deep."),
    "JNA406": Code("file too large", "At most 16 MiB are read of one file."),
    "JNA407": Code(
        "not text",
        "Files have to be UTF-8, without control characters.",
    ),
    "JNA408": Code("several documents", "A file holds one Flow; '---' begins another document."),
    "JNA409": Code("nothing in it", "The file holds nothing, or only comments."),
    "JNA410": Code(
        "key or alias misused",
        "A key has to be a word or a number, an alias (*name) needs an anchor (&name) before it, "
        "and '<<' takes mappings.",
    ),
    "JNA411": Code(
        "too many keys and values",
        "At most 100,000 keys and values are read of one file. Data belongs into files of its "
        "own, which the spec names.",
    ),
    # Files and classes that a file names.
    "JNA501": Code(
        "file not there",
        "A file that the YAML names is not in the folder of the YAML, in 'extra_search_paths', "
        "or in the working directory.",
    ),
    "JNA503": Code(
        "class not there",
        "The Python file is there, and does not define the class. It was read, not run.",
    ),
    "JNA504": Code(
        "no such Executor or Driver",
        "The name is not one of those that come with the product, nor was it installed with "
        "another package (entry point group 'jina.executors'), and no 'py_modules' define it. "
        "`jina explain uses` lists what is there.",
    ),
    "JNA505": Code(
        "Executor out of reach",
        "Executors run as processes of this machine, from Python that is already here: nothing "
        "is fetched from a hub or a registry of containers.",
    ),
    "JNA506": Code(
        "not Python",
        "A file that should define an Executor cannot be parsed by the Python that runs this.",
    ),
    "JNA507": Code(
        "file describes something else",
        "'uses' needs the YAML of an Executor; an item of 'executors' that is a path needs that "
        "of a Deployment.",
    ),
    "JNA508": Code(
        "not the name of an Executor",
        "An Executor is named by a name, file.py:Class, package.module:Class, the path of a YAML "
        "file, or a mapping with 'jtype'.",
    ),
    "JNA509": Code(
        "module not there",
        "Neither the folder of the YAML nor the installed packages have this Python module.",
    ),
    "JNA510": Code(
        "Python files are not allowed",
        "The Flow was read with 'allow_py_modules=False', and something in it has Python files "
        "imported. Take them out, or read it with 'allow_py_modules=True' if you trust them.",
    ),
    # What an Executor's process says of its class.
    "JNA913": Code(
        "not runnable as an Executor",
        "The class was found, and cannot be run with what the YAML says: 'with' has an argument "
        "too many or too few, 'requests' names a method that is not there, or a method asks for "
        "an argument that no method gets. The message names class, method and argument.",
    ),
    "JNA914": Code(
        "class not found",
        "No class goes by the name that 'uses' gives, neither among the built-in Executors nor "
        "in 'py_modules' nor under an entry point of the group 'jina.executors'; or the module "
        "that should define it could not be imported.",
    ),
    "JNA915": Code(
        "a Flow inside an Executor",
        "Code of an Executor started a Flow. Processes of a Flow start no other Flow; run it "
        "with 'jina flow' beside this one, and name it as an external Pod. If the file of the "
        "Executor is the program too, put what starts the Flow under "
        "'if __name__ == \"__main__\":': the file is imported where the Executor runs.",
    ),
    "JNA916": Code(
        "class that cannot be imported",
        "An Executor runs in another process, which imports its class. So the class has to be "
        "defined at the top of a Python file: not inside a function or another class, and not at "
        "a prompt or in a notebook.",
    ),
    "JNA917": Code(
        "Flow that does not run",
        "A Flow answers while it runs: within 'with flow:', or between 'start()' and 'close()'.",
    ),
    "JNA918": Code(
        "not offered here",
        "Code written for Jina asks for something that does not exist here, for the reason given.",
    ),
}
