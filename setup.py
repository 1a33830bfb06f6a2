"""The Python package, whose library CMake builds: python3 -m pip install --no-build-isolation ."""

import os
import re
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

root = Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    """Builds and installs what the package needs of the library into its folder."""

    def build_extension(self, extension):
        build = Path(self.build_temp).resolve() / "cmake"
        package = Path(self.get_ext_fullpath(extension.name)).resolve().parent
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DSTACKAE_BUILD_PYTHON=ON", "-DSTACKAE_BUILD_CLI=OFF",
                   "-DSTACKAE_BUILD_TESTS=OFF", "-DSTACKAE_BUILD_C=OFF", f"-DPython_EXECUTABLE={sys.executable}",
                   f"-DSTACKAE_PYTHON_PACKAGE={package}"]
        subprocess.run(["cmake", "-S", str(root), "-B", str(build), "-G", "Ninja", *options], check=True)
        subprocess.run(["cmake", "--build", str(build), "-j", str(os.cpu_count() or 1), "--target", "stackae_python"],
                       check=True)
        subprocess.run(["cmake", "--install", str(build), "--component", "python"], check=True)


version = re.search(r"project\(stackae VERSION ([0-9.]+)", (root / "CMakeLists.txt").read_text()).group(1)
setup(version=version, ext_modules=[Extension("stackae._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
