"""What another project gets: the installed library by find_package(tunic)."""
import os
import pathlib
import tempfile

from kernel import make_device
from support import ROOT, STACK4, eventually, expect, process, run


def build_outside(example):
    """Builds an example of the tree as a project of its own, against an installed tunic."""
    folder = pathlib.Path(tempfile.mkdtemp())
    run("cmake", "--install", os.environ["TUNIC_BUILD"], "--prefix", folder / "prefix")
    expect((folder / "prefix" / "bin" / "tunic").exists(), "the command is not installed")
    run("cmake", "-S", ROOT / "examples" / example, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}",
        "-DCMAKE_BUILD_TYPE=Debug", timeout=60)
    run("cmake", "--build", folder / "build", timeout=200)
    leaked = [path for path in (folder / "prefix").rglob("*.cmake") if str(ROOT) in path.read_text()]
    expect(not leaked, f"they name the source tree: {leaked}")
    return folder / "build" / example


def test_hello_with_the_installed_library():
    program = build_outside("hello")
    make_device()
    with process(program):
        eventually("it answers", lambda: run("curl", "-sS", "-m", 2, f"http://{STACK4}/", status=None).out == "hello\n")


def test_stacks_without_io_with_the_installed_library():
    out = run(build_outside("sans_io")).out
    for word in 'heard "hello"', 'heard "hello to you, too"', "TIME-WAIT", "CLOSED":
        expect(word in out, out)
