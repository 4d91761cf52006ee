"""What plugins can import there: what is imported while the component is built."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

from nebula_lab import plugin
from nebula_lab.agent import state

_NAMES = """
abc argparse array ast asyncio atexit base64 bdb binascii bisect builtins calendar cmath cmd code
codecs codeop collections collections.abc colorsys compileall concurrent.futures configparser
contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis doctest
email email.message email.mime.text email.parser email.policy encodings.idna encodings.latin_1
encodings.utf_16 encodings.utf_32 encodings.cp1252 encodings.punycode encodings.utf_8_sig
enum errno filecmp fileinput fnmatch fractions ftplib functools gc getopt gettext glob graphlib
gzip hashlib heapq hmac html html.entities html.parser http http.client http.cookies imaplib
importlib importlib.metadata importlib.resources inspect io ipaddress itertools json json.tool
keyword linecache locale logging logging.config logging.handlers mailbox math mimetypes
modulefinder netrc ntpath nturl2path numbers opcode operator optparse os os.path pathlib pdb pickle
pickletools pkgutil platform plistlib poplib posixpath pprint profile pstats py_compile pyclbr pydoc
queue quopri random re reprlib rlcompleter runpy sched secrets selectors shelve shlex shutil signal
site smtplib socket socketserver sqlite3 stat statistics string string.templatelib stringprep
struct subprocess symtable sys sysconfig tabnanny tarfile tempfile textwrap this threading time
timeit token tokenize tomllib trace traceback tracemalloc types typing unicodedata unittest
unittest.mock urllib.error urllib.parse urllib.request uuid venv warnings wave weakref wsgiref
wsgiref.util xml.dom.minidom xml.etree.ElementTree xml.parsers.expat xml.sax xml.sax.handler
xml.sax.saxutils xmlrpc.client zipapp zipfile zipimport zlib zoneinfo
"""


# What of ours is imported by what needs it only then.
_OWN = """
nebula_lab.agent.call_debugger nebula_lab.agent.notebook_source nebula_lab.agent.proving
"""
_OWN_PACKAGES = (plugin, state)


def import_all() -> None:
    """Import those of them that there are here."""
    for package in _OWN_PACKAGES:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    for name in (*_NAMES.split(), *_OWN.split()):
        # One of them prints a poem.
        with contextlib.redirect_stdout(None), contextlib.suppress(ImportError):
            importlib.import_module(name)
