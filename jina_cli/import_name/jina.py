"""The import name `jina`: programs and Executors written for Jina 3 find it.

Installed as a module of its own beside `jina_cli`.
"""

from jina_cli.executors.jina_names import install

install()
