# SPDX-License-Identifier: Apache-2.0
"""Build of the extension modules; everything else is in pyproject.toml."""

import gzip
import itertools
import os
import shlex
import shutil
import sys
import sysconfig
import tarfile
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import PathFinder
from pathlib import Path

import numpy
from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

VERSION = "0.2.0"
ROOT = Path(__file__).parent
GENERATED = Path("build", "cython")

# The modules of the binding, joined by cimport. `native` is apart because it is C++.
MODULES = sorted({path.stem for path in (ROOT / "tvmgo" / "_core").glob("*.pyx")} - {"native"})

# Flags for developers: AddressSanitizer and line coverage change what is built, not how.
SANITIZE = os.environ.get("TVMGO_SANITIZE", "")
# Warnings of Cython and of the compiler end the build. Not for everybody: the compilers of users
# warn of other things.
STRICT = os.environ.get("TVMGO_STRICT", "") == "1"
# Whoever builds has the last word, after the flags below.
CFLAGS = shlex.split(os.environ.get("CFLAGS", ""))


def installed_package(name: str, purpose: str) -> Path:
    """Return the folder of an installed package, without importing it.

    A cross compiler needs packages of the other machine, which TVMGO_TARGET_PACKAGES has.
    """
    folder = os.environ.get("TVMGO_TARGET_PACKAGES")
    spec = PathFinder.find_spec(name, [folder] if folder else None)
    if spec is None or spec.origin is None:
        raise SystemExit(f"building tvmgo needs {purpose}")
    return Path(spec.origin).parent


def tvm_ffi_root() -> Path:
    return installed_package("tvm_ffi", "the headers in apache-tvm-ffi")


def without_paths() -> list[str]:
    """Return the flags that keep the builder's folders out of what is built.

    Debug information names source files, and so do error messages of some headers.
    """
    if sys.platform == "win32":
        return []
    names = {
        ROOT: ".",
        tvm_ffi_root(): "tvm_ffi",
        numpy.get_include(): "numpy",
        sysconfig.get_path("include"): "python",
    }
    return [f"-ffile-prefix-map={folder}={name}" for folder, name in names.items()]


def warnings(language: str) -> list[str]:
    """Return the flags for warnings, which end a strict build."""
    if sys.platform == "win32":
        return []
    if not STRICT:
        return ["-Wall"]
    # GCC takes some of what std::variant and Cython's early exits leave alone for used. Clang does
    # not, and knows no such flag.
    flags = ["-Wall", "-Werror", "-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"]
    if language == "c":
        # What GCC 14 and clang 16 refuse, which older ones need not even warn of.
        flags += [
            "-Werror=incompatible-pointer-types",
            "-Werror=int-conversion",
            "-Werror=implicit-function-declaration",
            "-Werror=implicit-int",
        ]
    else:
        # Of std::stable_sort in libstdc++ 12: GCC looks away, clang does not.
        flags += ["-Wno-error=deprecated-declarations"]
    return flags


def extension(name: str, sources: list[str], **options) -> Extension:
    """Return the description of a library of tvmgo._core."""
    ffi = tvm_ffi_root()
    compile_args = ["-O3", "-Wno-unused-function"] if sys.platform != "win32" else []
    compile_args += warnings(options.get("language", "c")) + without_paths()
    # glibc before 2.34 has them apart, and condition variables of two kinds: this chooses.
    link_args = ["-pthread"] if sys.platform != "win32" else []
    if SANITIZE:
        compile_args += [f"-fsanitize={SANITIZE}", "-g", "-fno-omit-frame-pointer"]
        link_args += [f"-fsanitize={SANITIZE}"]
    if sys.platform == "darwin":  # the loader there wants a path, if only a relative one
        link_args += ["-Wl,-rpath,@loader_path/../tvm_ffi/lib"]
    options["extra_compile_args"] = [*compile_args, *options.get("extra_compile_args", []), *CFLAGS]
    return Extension(
        f"tvmgo._core.{name}",
        sources,
        include_dirs=[
            str(ROOT / "tvmgo"),
            str(ROOT / "tvmgo" / "cxx"),
            str(ffi / "include"),
            numpy.get_include(),
        ],
        library_dirs=[str(ffi / "lib")],
        libraries=["tvm_ffi"],
        define_macros=[
            ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
            ("TVMGO_VERSION", f'"{VERSION}"'),
        ],
        extra_link_args=link_args,
        **options,
    )


Options.warning_errors = STRICT


class BuildExt(build_ext):
    """Compile as many files at a time as there are processors, and link without the run path an
    interpreter may have been built with: it is an absolute one."""

    def build_extensions(self):
        compile_some = self.compiler.compile
        pool = ThreadPoolExecutor(os.cpu_count())

        def compile_all(sources, *args, **options):
            return list(
                itertools.chain.from_iterable(
                    pool.map(lambda source: compile_some([source], *args, **options), sources)
                )
            )

        self.compiler.compile = compile_all
        for name in ("linker_so", "linker_so_cxx"):
            command = getattr(self.compiler, name, None)
            if command:
                setattr(
                    self.compiler,
                    name,
                    [part for part in command if not part.startswith("-Wl,-rpath")],
                )
        super().build_extensions()


class BuildPy(build_py):
    """Put TVM's runtime into the wheel, so that running a model needs no apache-tvm.

    An editable installation has none: whoever develops tvmgo has apache-tvm installed.
    """

    def run(self):
        super().run()
        if self.editable_mode or sys.platform != "linux":
            return
        tvm = installed_package("tvm", "libtvm_runtime, which apache-tvm brings")
        target = Path(self.build_lib, "tvmgo", "_native", "lib")
        target.mkdir(parents=True, exist_ok=True)
        for name in ("libtvm_runtime.so", "libtvm_runtime_extra.so"):
            shutil.copyfile(tvm / "lib" / name, target / name)
        for name in ("LICENSE", "NOTICE"):
            shutil.copyfile(tvm / name, target / name)
        # Of code inside these libraries; LICENSE refers to them.
        shutil.copytree(tvm / "licenses", target / "licenses", dirs_exist_ok=True)


class SDist(sdist):
    """Write the same bytes for the same files: no times, no owners."""

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, **_):
        time = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))  # 1980, as in a wheel

        def anonymous(member):
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = time
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member

        path = Path(f"{base_name}.tar.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=time) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(base_dir, filter=anonymous)
        return str(path)


def headers(folder: str) -> list[str]:
    return sorted(str(path) for path in (ROOT / "tvmgo" / folder).glob("**/*.h"))


def generate(name: str, *sources: str, **options) -> Extension:
    """Return the library of one module, with its Cython translated to C, and of other sources."""
    (made,) = cythonize(
        [extension(name, [f"tvmgo/_core/{name}.pyx", *sources], **options)],
        compiler_directives={
            "language_level": 3,
            # Methods that check the type of `self`, which bound functions of Cython do not.
            "binding": False,
            "embedsignature": True,
            "embedsignature.format": "clinic",
            "auto_pickle": False,
        },
        build_dir=str(GENERATED),
        # Cython looks at its sources only; the directives above stand in this file.
        force=any(
            path.stat().st_mtime < Path(__file__).stat().st_mtime
            for path in (ROOT / GENERATED).glob(f"tvmgo/_core/{name}.c*")
        ),
    )
    return made


# One library for all modules in C, in which tvmgo/_core/__init__.py finds them: each library more
# would lengthen the import, and every backtrace that libtvm_ffi writes for an error.
binding = extension(
    "_binding",
    [source for module in MODULES for source in generate(module).sources],
    depends=headers("capi"),
    export_symbols=[f"PyInit_{module}" for module in MODULES],
)

native = generate(
    "native",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tvmgo/cxx/**/*.cc")),
    depends=headers("capi") + headers("cxx"),
    language="c++",
    extra_compile_args=["-std=c++17", "-fvisibility=hidden"],
)

# Not a Python module: the C names that some classic libraries import, apart from everything else
# because it is opened for all libraries to see. Classic libraries are loaded on Linux only.
classic_exports = [
    Extension(
        "tvmgo._core._classic_exports",
        ["tvmgo/cxx/classic/from_library/exports_library.c"],
        include_dirs=["tvmgo/cxx"],
        extra_compile_args=["-O2", "-fvisibility=hidden", *warnings("c"), *without_paths()],
    )
]

setup(
    version=VERSION,
    cmdclass={"build_ext": BuildExt, "build_py": BuildPy, "sdist": SDist},
    options={"build_ext": {"parallel": os.cpu_count()}},
    ext_modules=[
        *(classic_exports if sys.platform == "linux" else []),
        binding,
        native,
    ],
)
