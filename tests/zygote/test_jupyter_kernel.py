"""The kernel of a forked host passes Jupyter's own tests for kernels."""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path

import jupyter_kernel_test
import pytest
from forked_lab import Lab, client_of

warnings.filterwarnings("ignore", "unclosed event loop", ResourceWarning)


class TestForkedKernel(jupyter_kernel_test.KernelTests):
    """`jupyter_kernel_test`, on the kernel of a plugin that was forked from a zygote."""

    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples = (
        {"text": "zi", "matches": {"zip"}},
        {"text": "pri", "matches": {"print"}},
    )
    complete_code_samples = ("1", "print('hello')", "def f(x):\n  return x\n\n\n")
    incomplete_code_samples = ("print('''hello", "def f(x):")
    invalid_code_samples = ("import = 7q",)
    code_page_something = "zip?"
    code_generate_error = "raise ValueError"
    code_execute_result = ({"code": "1+2+3", "result": "6"}, {"code": "6*7", "result": "42"})
    code_display_data = (
        {
            "code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))",
            "mime": "text/html",
        },
    )
    code_history_pattern = "1?2*"
    # ipykernel calls its own session 0 in a range, which the test does not expect.
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.lab = Lab(Path(cls.folder.name))
        cls.kc = client_of(cls.lab, "one")

    @classmethod
    def tearDownClass(cls):
        cls.kc.stop_channels()
        cls.lab.plugins.close()
        cls.folder.cleanup()

    def test_the_kernel_under_test_was_forked(self):
        self.assertTrue(self.lab.is_forked("one"))


@pytest.fixture
def client(lab):
    client = client_of(lab, "one")
    assert lab.is_forked("one")
    yield client
    client.stop_channels()


def test_the_heart_beats(client):
    client.hb_channel.unpause()
    deadline = time.monotonic() + 20
    while not client.hb_channel.is_beating() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.hb_channel.is_beating()
