"""The miner's compiled kernels: built where there is a C compiler, done without where there is none."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "snellen.mining.kernels._compiled",
            [f"src/snellen/mining/kernels/{name}.c" for name in ("module", "portable", "avx2", "avx512")],
            depends=["src/snellen/mining/kernels/kernels.h"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
            optional=True,  # without a compiler the package installs all the same, with the portable filter
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
