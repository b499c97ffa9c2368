"""Shapes that several threads decode into at once, the first time: the interpreter stays alive."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from playhead.kit.shapes import make_decoder, prepare_shapes

AT_ONCE = """
import sys, threading
import msgspec
from playhead.kit.shapes import make_decoder, prepare_shapes

sys.setswitchinterval(1e-6)

def make(n):
    inner = [msgspec.defstruct(f"I{n}_{k}", [(f"a{j}", int | None, None) for j in range(5)]) for k in range(6)]
    return msgspec.defstruct(f"T{n}", [(f"x{k}", inner[k] | None, None) for k in range(6)])

def run(shape, begin):
    begin.wait()
    decoder = WAY(shape)
    assert decoder.decode(b'{"x5":{"a2":1}}').x5.a2 == 1

for n in range(150):
    shape, begin = make(n), threading.Barrier(4)
    BEFORE()
    threads = [threading.Thread(target=run, args=(shape, begin)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.parametrize("way, before", [("make_decoder", "int"), ("msgspec.json.Decoder", "prepare_shapes")])
def test_threads_that_decode_into_a_new_shape_at_once(way: str, before: str) -> None:
    """With neither of the two, msgspec 0.22 ends this process with a segmentation fault within a few rounds."""
    program = AT_ONCE.replace("WAY", way).replace("BEFORE", before)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_each_shape_is_looked_at_once() -> None:
    """Also one of which nothing can be decoded."""
    prepare_shapes()
    msgspec.defstruct("New", [("a", int)])
    msgspec.defstruct("Odd", [("a", "NoSuchName")])
    assert prepare_shapes() == 2
    assert prepare_shapes() == 0
    assert make_decoder(msgspec.Raw) is make_decoder(msgspec.Raw)
