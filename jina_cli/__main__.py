"""The `jina` command. What needs no command at all is answered before anything is imported."""

import sys


def main() -> int:
    """Run the command line of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-v"], ["-V"]):
        from jina_cli._version import __version__

        return _say(f"jina {__version__}")
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        from jina_cli.cli.top_help import top_help

        return _say(top_help())
    from jina_cli.cli.app import run

    return run(arguments)


def _say(text: str) -> int:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Else Python writes again at exit, and complains.
        sys.stdout = None
    return 0


if __name__ == "__main__":
    sys.exit(main())
