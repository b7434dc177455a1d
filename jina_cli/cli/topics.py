"""What `jina explain` says of matters that are wider than one key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A matter that several keys, options or commands have to do with.

    Attributes:
        title: One clause, for the list of topics.
        text: At most 88 columns wide, shown as it is; what is indented can be copied.
    """

    title: str
    text: str


_CLIENTS = """\
'protocol' under 'with' names one of these or a list, and 'port' a number for each:

  grpc       Jina 3.34's services, for its Client and ours, with reflection and health;
             'jina export proto' writes the messages for other languages
  http       POST /ENDPOINT takes and gives JSON; the paths of the Gateway are below
  websocket  JSON or Jina's messages, as Jina 3.34 speaks it
  native     columns over TCP, for our own Client: the least work for large requests

A Client takes the address: grpc://, http://, ws:// or tcp://HOST:PORT, and grpcs://,
https:// or wss:// where 'ssl_certfile' and 'ssl_keyfile' are set. On the same machine
unix:PATH needs no 'native': 'jina flow F --dry-run' shows where the socket is.

Over HTTP:

  curl localhost:8080/shout -d '{"data": [{"text": "hello"}],
    "parameters": {"x": 1}, "target_executor": "shout", "header": {"timeout": 2.5}}'

Besides endpoints of Executors there are GET /docs and /openapi.json (what the Flow can
do), /livez and /readyz (503 until all Pods are ready), /status and /dry_run. Browsers
on other origins need 'cors: true', or a list of origins.

The Gateway listens on all addresses, as in Jina 3; 'host: 127.0.0.1' keeps it to this
machine."""

_CONDITIONS = """\
'--where' of search, count, delete and dump, and the parameter 'filter' of a request:

  price < 10 and lang in ('en', 'fr')        title like 'draft%'      year is null
  not (stock = 0 or sold exists)             size between 2 and 5     name ~ '^a.*z$'

A name is a field of the document or, where there is none, a key of its tags; 'a.b' goes
deeper. Texts stand in quotes; numbers and true, false, null do not. '!=' and 'not in'
hold where there is no such field, too. Requests also take docarray's and Jina's form:

  {"$and": [{"price": {"$lt": 10}}, {"tags__lang": {"$in": ["en", "fr"]}}]}

A condition is exact however few documents meet it: it is never applied to what was
found before, so that a search returns 'top_k' matches as long as there are as many."""

_PATHS = """\
A document has 'chunks', parts of it, and 'matches', what was found for it; both are
documents again. A Driver takes the documents at a path to an Executor, and puts the
result back:

  @r   the documents themselves       @cm     the matches of their chunks
  @c   their chunks                   @c[:3]  the first three chunks of each
  @m   their matches                  @r,c    documents, then their chunks

An Executor has Drivers for its endpoints. 'uses_requests' of a Pod gives an endpoint
others, which are taken in order; endpoints that it does not name keep theirs:

  executors:
    - {name: split, uses: Sentencizer}
    - name: encode
      uses: TextEncoder
      uses_requests:
        /index: [{driver: EncodeDriver, with: {traversal_paths: "@c"}}]
    - name: index
      uses: HybridIndexer
      uses_requests:
        /search:
          - {driver: SearchDriver}
          - {driver: ExcludeDriver, with: {fields: [embedding]}}

In the YAML of an Executor the same stands under 'requests'. 'jina explain drivers'
lists the Drivers, 'jina explain EncodeDriver' tells of one. In Python, an Executor of
your own goes through 'docs.traverse_flat("chunks")'."""

_FAMILIES = """\
Derive from one of these and write its method: the endpoints are there, and Drivers
bring what it needs. 'content' is the same field of all documents, 'field = "text"': a
list of texts, or for tensors an array of shape (n, ...).

  Encoder      encode(content)                    n vectors
  Crafter      craft(content)                     n contents in their place
  Segmenter    segment(content)                   n lists of chunks, texts or mappings
  Classifier   predict(content)                   n labels, for the tags
  Ranker       rank(queries, matches, *, top_k)   the matches in another order, with
                                                  scores to it: jina eval reads these
  ChunkRanker  aggregate(scores, offsets)         a document's score, of its chunks'
  Fuser        fuse(ranks, scores, offsets)       one ranking of those of several Pods
  Indexer      index, search, delete, count       and, as it likes, get, dump, update
  Evaluator    evaluate(actual, desired)          how good the ids found are

  from jina_cli import Encoder

  class Lengths(Encoder):
      field = "text"

      def encode(self, content):
          return [[len(text)] for text in content]

'uses: file.py:Lengths' puts it into a Flow. A method is 'def' or 'async def'. What
stands in 'uses_with' goes to '__init__', which passes '**kwargs' on. An Encoder or
Classifier that has 'train' too serves /train: 'jina train' sends documents there."""

_QUALITY = """\
'jina eval' holds what was found against judgements: lines of TREC or a table of BEIR.

  my.qrels           q1 0 bread.md 1               query, 0, id of a document, grade
  questions.jsonl    {"id": "q1", "text": "how do I bake bread"}

  jina eval --qrels my.qrels --queries questions.jsonl        asks a Flow
  jina search - --format trec < questions.jsonl > run.txt     or: first search,
  jina eval --qrels my.qrels --run run.txt                    then judge what was found

Each value is a mean over the judged queries; 1 is best. '@10' looks at the first ten.

  ndcg      gain of the grades, less the further down, over the best there could be
  recall    share of the relevant documents that was found
  map       mean precision where each relevant document was found
  mrr       1 over the place of the first relevant one
  p         share of the matches that is relevant
  f1        harmonic mean of precision and recall

A grade above 0 is relevant; what nobody judged is not. A query that found nothing
counts as 0. '--fail-under ndcg@10=0.5' exits with 1 below that, '--per-query' shows
which queries go wrong, and '--mode lexical', '--mode vector' and '--rerank 50' tell
what each way to search the same index is worth.

An Evaluator in a Flow says the same of each query whose tags name what it should find,
'{"text": "boat", "relevant": ["a"]}'; 'jina search --json' prints its 'evaluations'."""

_JINA09 = """\
YAML of Jina 0.9 is read: '!Flow' with 'pods', '!Classes' of Executors, Drivers under
'requests: on:', 'components', 'parallel', '_pass', '_merge_matches' and the like. Start
with 'jina validate flow.yml': it names classes that are called otherwise today, and
what has no effect.

  IndexRequest, SearchRequest     /index, /search; TrainRequest and so on likewise
  NumpyIndexer                    VectorIndexer
  BinaryPbIndexer                 KeyValueIndexer
  MinRanker, MaxRanker            Chunk2DocRanker
  VectorIndexDriver, KVIndexDriver, VectorSearchDriver, KVSearchDriver
                                  IndexDriver, SearchDriver, KeyValueSearchDriver
  Chunk2DocRankDriver             ChunkRankDriver
  ExcludeQL, FilterQL, SortQL     ExcludeDriver, FilterDriver, SortDriver

Paths are the same, 'r', 'c', 'cm': see 'jina explain paths'. What has to be done:

  own Executors   there is no 'jina.executors': derive from a family of 'jina_cli'. An
                  Encoder's method is 'encode(self, content)', without '@batching';
                  a ranker's '_get_score' is 'aggregate' of a ChunkRanker. See
                  'jina explain families'
  arguments       those of built-in Executors have names of today, 'min_length' of a
                  Sentencizer; 'jina validate' lists them where one is unknown
  scores          are similarities: higher is better, also where 0.9 had distances
  workspaces      are not read: index again
  'uses' as text  '!Class' in quotes and a bare list of Drivers are not read: write
                  !Class without quotes, and Drivers under its 'requests: on:'"""

_STREAMING = """\
An endpoint that takes one document and yields others answers in parts, as they come:

  class Teller(Executor):
      @requests(on="/tell")
      async def tell(self, doc: Prompt, **kwargs) -> Word:
          for word in doc.text.split():
              yield Word(word=word)

It may be 'def' or 'async def'. All of these ask for the parts:

  client.stream_doc("/tell", Prompt(text="a b"), return_type=Word)
  jina post /tell --stream --text "a b" --host http://localhost:8080
  curl -N localhost:8080/tell -H 'Accept: text/event-stream' \\
    -d '{"data": [{"text": "a b"}]}'
  curl -N 'localhost:8080/tell?text=a'

Over HTTP they are server-sent events: 'event: update' with a document as 'data:' for
each part, then 'event: end'; an error after the first part is an event of its own.
Whoever asks without wanting parts gets all documents in one answer.

In a Flow of several Pods each document that one yields goes on through the next at
once, and order is kept. A client that goes away, or reads slowly, stops or slows the
generator."""

_LIMITS = """\
Every queue has an end. What does not fit is refused at once, so that clients know, and
the memory of a Flow does not grow with its load:

  key, default                 refuses or ends                   code (HTTP, gRPC)
  max_queue 256                a request to a process that has   429 RESOURCE_EXHAUSTED
                               so many; it says 'retry-after'
  max_message_bytes 64 MiB     a larger request or answer        413 RESOURCE_EXHAUSTED
  timeout_send 120 s (with)    a request that takes longer       504 DEADLINE_EXCEEDED
  prefetch 1000                reading more requests of one      none: the client waits
                               stream

A client's own deadline counts where it is shorter: 'timeout=' of Client.post, the
deadline of a gRPC call, '"header": {"timeout": SECONDS}' over HTTP. A request whose
time has passed, or whose client went away, is not begun; an 'async def' method that
works on it is cancelled, a plain 'def' runs to its end, and its answer is dropped.

When a process of a Pod fails:

  retries      tries on other replicas where a connection could not be made; -1 is one
               each, at least 3. A replica that fails is left out until it answers.
  idempotent   endpoints that may be asked again though the connection broke after the
               request was sent: '[/embed]'. /search, /get, /count, /dump and /status
               always may. Others answer 503, since nobody knows whether they were
               acted on.
  partial      'allow': shards that failed are left out of the answer, which says so
               (x-jina-failed-shards over HTTP). 'refuse', the default: it is an error.

The other codes: 404 NOT_FOUND no Executor serves the endpoint, 422 INVALID_ARGUMENT the
request is wrong, 500 UNKNOWN the Executor raised, 503 UNAVAILABLE a Pod is gone, 507
RESOURCE_EXHAUSTED the disk is full."""

_INPROCESS = """\
A Pod can run in the process of the Pod before it, which saves a hop: documents go from
one Executor to the next without being encoded, sent and read again:

  executors:
    - {name: clean, uses: clean.py:Clean}
    - {name: encode, uses: encode.py:Encode, runtime: inprocess}

'colocate: true' at the top of the file does this for every Pod that can. Alone stay:
Pods with shards, 'uses_before' or 'uses_after'; Pods that join several others, or that
several wait for; external ones; and Pods whose settings of a process differ from those
of the Pod before: 'replicas', 'env', 'max_queue', 'timeout_send', 'restart' and the
like. Where 'runtime: inprocess' cannot be had, 'jina validate' says why.

They share one Python: leave Pods apart whose Executors compute in Python for long, or
that may crash. 'jina flow F --dry-run' shows what runs where."""

_TELEMETRY = """\
Numbers for Prometheus, under the names that Jina 3 gave them, at /metrics of a port of
each process that has one:

  with:
    monitoring: true
    port_monitoring: 9090          # the Gateway's
  executors:
    - {name: encode, uses: encode.py:Encode, port_monitoring: 9091}

'@monitor' and 'self.monitor(name, documentation)' add times of your own.

Spans and measurements go to an OpenTelemetry collector (OTLP over gRPC), with the extra
'otel' installed. A client's 'traceparent' is kept, and goes on to the Executor:

  with:
    tracing: true                  # traces_exporter_host, traces_exporter_port: 4317
    metrics: true                  # metrics_exporter_host, metrics_exporter_port: 4317

Logs of all Pods are what 'jina flow' writes to stdout, as lines or with '--log-format
json'; '--log-dir DIR' says where the file of each process goes. An answer's
'x-request-id' is the one that the client sent, or a new one."""

_OPTIONS = """\
Any option can be given in five places. The first of these that says something wins:

  1. the command line                 jina search --top-k 5
  2. a variable of the environment    JINA_SEARCH_TOP_K=5; JINA_QUIET=1 for all commands
  3. ./jina.toml                      [search]
                                      top-k = 5
  4. ./pyproject.toml                 [tool.jina.search]
                                      top-k = 5
  5. $XDG_CONFIG_HOME/jina/config.toml (~/.config), as jina.toml

Options of all commands stand at the top of jina.toml ('color = "never"'), those of one
command in a table of its name ('[hello.fashion]'). A Flow's YAML wins over such files,
and the command line and the environment win over the YAML.

'--env-file FILE' reads variables from a file; those that are set already win. In the
YAML a variable that is not set is an error, and

  ${{ env.NAME }}           is the variable NAME; so are $NAME and ${NAME}
  ${{ env.NAME | 8080 }}    is 8080 where it is not set
  ${{ this.name }}          is another value of the same mapping
  ${{ root.with.port }}     is another value of the same file
  $$                        is a dollar sign"""

_JINA3 = """\
What works as it did: the YAML of Flows, Deployments and Executors, '@requests' and type
hints, 'doc: T', generators, dynamic batching, 'docs_matrix', 'uses_with', shards and
polling, external Executors, conditions ('when'), Client.post and its callbacks,
stream_doc, and gRPC, HTTP and WebSocket byte by byte: a client of Jina 3.34 needs no
change, and Executors of either serve in Flows of the other.

Programs, clients and Executors may go on writing 'from jina import ...': the name means
this package, jina_cli, where Jina itself is not installed.

What differs:

  unknown keys         are errors, with what was meant; warnings with --lenient
  docs["@c"]           is of docarray before 0.30: a DocumentArray is a DocList, which
                       has docs.traverse_flat("chunks"); Drivers take '@c'
  hub, cloud, Docker   'jinahub://', 'jinaai://' and 'docker://' are refused: nothing is
                       fetched
  requirements.txt     is installed only with '--allow-install'
  own Gateway classes  are refused: logic belongs in an Executor; for paths of your own
                       there is 'expose_endpoints'
  replicas             keep no common state (no RAFT): shards split data, replicas share
                       reads; what '@write' marks, and '/index' of an Indexer, goes to
                       the first, and the others of an Indexer read what it wrote
  full queues          refuse with 429 or RESOURCE_EXHAUSTED; see 'jina explain limits'
  failed requests      are sent again only where that cannot do harm; see 'idempotent'
  a Pod that dies      is started anew 'max_restarts' times at most, then the Flow ends
  ports of Pods        are not there: processes of a Flow talk over unix sockets

'jina validate flow.yml' names each key of a file that has no effect or is refused, and
why. 'jina executor', 'jina gateway' and 'jina deployment' take the options of Jina's
manifests."""

TOPICS: Mapping[str, Topic] = {
    "clients": Topic("How clients talk to a Flow: gRPC, HTTP, WebSocket.", _CLIENTS),
    "streaming": Topic("Answers in parts, as an Executor yields them.", _STREAMING),
    "conditions": Topic("Which documents --where and a filter mean.", _CONDITIONS),
    "paths": Topic("Chunks, matches, and which of them a Driver takes.", _PATHS),
    "families": Topic("An Encoder, Segmenter, Ranker of your own.", _FAMILIES),
    "quality": Topic("How good a search is: jina eval and its metrics.", _QUALITY),
    "limits": Topic("Queues, deadlines, retries, and what clients are told.", _LIMITS),
    "inprocess": Topic("Pods that share a process.", _INPROCESS),
    "telemetry": Topic("Numbers, spans and logs.", _TELEMETRY),
    "options": Topic("jina.toml, the environment, variables in the YAML.", _OPTIONS),
    "jina3": Topic("What is as in Jina 3, and what is not.", _JINA3),
    "jina09": Topic("YAML and Drivers of Jina 0.9 today.", _JINA09),
}
"""Name → what to know; no key of the YAML has such a name."""
