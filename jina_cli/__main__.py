"""The `jina` command. What needs no command at all is answered before anything is imported."""

# `signal` itself imports enum first, which takes milliseconds.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until a command runs there is nothing to end in order: Ctrl-C just ends the process.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Run the command line of this process and return its exit code."""
    _open_streams()
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-v"], ["-V"]):
        from jina_cli._version import __version__

        return _say(f"jina {__version__}")
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        from jina_cli.cli.top_help import top_help

        return _say(top_help())
    from jina_cli.cli.app import run

    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        return run(arguments, interrupts=True)
    return run(arguments)


def _open_streams() -> None:
    """Let nothing stand behind the streams that are closed, and nothing else get their places.

    `sys.stdin` stays None where it was: that it is closed is for the commands to say.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest that is free is taken, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _say(text: str) -> int:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        # Else Python writes again at exit, and complains.
        sys.stdout = None
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"jina: error: stdout: {error.strerror}\n")
            return 74
    return 0


if __name__ == "__main__":
    sys.exit(main())
