# SPDX-License-Identifier: Apache-2.0
# Two commands for everybody: `make demo` and `make test`. Both set up what they need in .venv,
# which `make clean` removes again.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
CACHE := .cache
DEMO := $(CACHE)/demo
# How many processes share the tests, file by file; each takes up to 2 GB with its compilers.
TEST_WORKERS ?= 2
PYTEST := $(RUN) -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile
# The oldest apache-tvm-ffi that pyproject.toml allows; the newest is in the environment.
FFI_FLOOR := 0.1.14.post0
FLOOR := $(CACHE)/tvm-ffi-$(FFI_FLOOR)

# The tests that cross the border to libtvm_ffi in every way there is.
FLOOR_TESTS := $(addprefix tests/core/test_,$(addsuffix .py,array array_* callback container \
	convert convert_* error error_* function interop lifetime load_module module prepared registry \
	staging value version)) \
	$(addprefix tests/graph/test_,clone.py executor_*.py graph_json.py program.py)

EXTENSION_SOURCES := setup.py pyproject.toml \
	\
	$(wildcard tvmgo/_core/*.pyx tvmgo/_core/*.pxd tvmgo/capi/*) \
	$(shell find tvmgo/cxx -name '*.[ch]' -o -name '*.cc')

.PHONY: demo test test-frameworks quantised docs docs-links lint format bench bench-check bench-models wheel wheels wheel-aarch64 ffi-releases trial fuzz valgrind old-artifacts old-runtimes aarch64 relay \
	models soak load test-serving test-cluster test-rpc compilers operators random-models clean

demo: $(INSTALLED) $(DEMO)/deploy.so
	@$(RUN) examples/complex.py $(DEMO)

test: $(INSTALLED) $(FLOOR)
	$(PYTEST)
	@echo "== the binding and the executor again, on apache-tvm-ffi $(FFI_FLOOR)"
	PYTHONPATH=$(FLOOR) $(PYTEST) -q -m 'not slow' $(FLOOR_TESTS)

# One style, kept by tools. Warnings of Cython and of the C compilers end the build, above.
lint: $(VENV)/.lint
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	git ls-files '*.c' '*.cc' '*.h' | xargs $(VENV)/bin/clang-format --dry-run --Werror
	PATH=$(VENV)/bin:$$PATH cython-lint --max-line-length 100 tvmgo

format: $(VENV)/.lint
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	git ls-files '*.c' '*.cc' '*.h' | xargs $(VENV)/bin/clang-format -i

# Style can be looked at without building anything.
$(VENV)/.lint: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --group lint
	touch $@

# The documentation as a site, build/docs/index.html; a link that leads nowhere is an error.
docs: $(INSTALLED) $(VENV)/.docs
	$(RUN) -m sphinx -W --keep-going --quiet docs build/docs

# Links into the web, which take a network and change without us.
docs-links: $(INSTALLED) $(VENV)/.docs
	$(RUN) -m sphinx --quiet -b linkcheck docs build/docs-links

$(VENV)/.docs: pyproject.toml | $(RUN)
	$(RUN) -m pip install --quiet --group docs
	touch $@

# Measures everything, says what has changed since the last release, writes docs/reports/performance.md and
# the ratios in benchmarks/history, and draws pictures into build/benchmarks. The machine should have
# nothing else to do.
bench: $(INSTALLED)
	$(RUN) -m benchmarks
	$(RUN) -m benchmarks.pictures

# Networks beside ONNX Runtime: writes docs/reports/models.md's part on speed and a picture into build/benchmarks, in
# about a quarter of an hour. The machine should have nothing else to do. NETWORKS='--only ResNet' takes some.
bench-models: $(INSTALLED)
	$(RUN) -m benchmarks.networks $(NETWORKS)

# Fails if one of the main calls takes more instructions beside bare C than stored, or one of ten kernels beside
# the operations it cannot do without; needs valgrind.
bench-check: $(INSTALLED)
	$(RUN) -m benchmarks.instructions --check

$(RUN):
	@echo "== setting up $(VENV): a few minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip

$(INSTALLED): $(EXTENSION_SOURCES) | $(RUN)
	@echo "== building tvmgo and installing it with what its tests need"
	TVMGO_STRICT=1 $(RUN) -m pip install --editable '.[test]'
	touch $@

$(FLOOR):
	$(RUN) -m pip install --quiet --no-deps --target $@ apache-tvm-ffi==$(FFI_FLOOR)

$(DEMO)/mobilenet.onnx: examples/mobilenet.py | $(INSTALLED)
	@mkdir -p $(DEMO)
	@echo "== writing MobileNet v1 1.0 224 with seeded weights as ONNX"
	@$(RUN) examples/mobilenet.py $@

$(DEMO)/deploy.so: $(DEMO)/mobilenet.onnx $(shell find tvmgo/compiler -name '*.py')
	@echo "== exporting it to deploy.so, deploy.json and deploy.params"
	@$(RUN) examples/export_model.py $< $(DEMO)

# The running Python's wheel as it would be released, in dist/, and all tests against it, installed.
wheel: $(VENV)/.release
	$(RUN) -m release.wheel

# The wheels of all CPythons of this machine, in dist/, each tried where nothing else is installed.
wheels: $(VENV)/.release $(DEMO)/deploy.so
	$(RUN) -m release.wheels $(DEMO)

# Wheels for AArch64 by a cross compiler, in dist/, each tried under QEMU; needs Debian's binutils-aarch64-linux-gnu
# and qemu-user, and fetches its compiler and Debian's Python for that machine the first time.
wheel-aarch64: $(VENV)/.release $(DEMO)/deploy.so
	$(RUN) -m release.wheel_aarch64 $(DEMO)

# The tests at the border to libtvm_ffi, with each release of apache-tvm-ffi that pyproject.toml allows.
ffi-releases: $(INSTALLED)
	$(RUN) -m release.ffi_releases $(CACHE) $(FLOOR_TESTS)

$(VENV)/.release: $(INSTALLED) pyproject.toml
	$(RUN) -m pip install --quiet --group release
	touch $@

# The package as somebody else builds it, and the quick tests against that, installed:
# make trial CC=clang CXX=clang++; make trial PYTHON=python3.13
trial: $(INSTALLED)
	CC='$(CC)' CXX='$(CXX)' TVMGO_STRICT=1 $(RUN) -m release.trial $(PYTHON)

# A million mutated inputs for each parser of untrusted files, under the sanitizers.
fuzz: $(INSTALLED)
	$(RUN) -m tests.fuzz --runs 1000000

# The tests of classic libraries, and kernels of random models, under Valgrind: a few minutes.
valgrind: $(INSTALLED)
	$(RUN) -m tests.classic.valgrind
	$(RUN) -m tests.random_models.valgrind

# A hundred thousand requests on one executor, ten minutes of all that one Model can do, a thousand changes of each
# kind to a library in use, ten thousand loads and threads and a thousand forks of models of every kind.
# SOAK='--seconds 60' makes the minutes fewer.
soak: $(INSTALLED)
	$(RUN) -m tests.graph.soak
	MALLOC_ARENA_MAX=2 $(RUN) -m tests.model.soak $(SOAK)
	$(RUN) -m pytest tests/core/library_files_soak.py
	$(RUN) -m tests.model.soak_of_processes

# A million requests to the service of examples/, over HTTP; LOAD='--requests 10000' makes fewer.
load: $(INSTALLED)
	$(RUN) -m tests.model.service_load $(LOAD)

# `tvmgo serve`, asked by real clients; KServe and these get an environment under .cache the first time.
# Then figures beside the same server with ONNX Runtime in docs/, for which the machine should have nothing
# else to do: SERVING='--no-load' leaves them out, SERVING='--only-load --seconds 2' takes a short look.
test-serving: $(INSTALLED)
	$(RUN) -m tests.serving $(SERVING)

# A cluster of Ray on this machine, whose every answer is compared while workers and nodes are killed, and a service on it;
# then figures beside ONNX Runtime, for which the machine should have nothing else to do: CLUSTER='--only-speed' takes
# ten minutes for these alone, CLUSTER='--no-speed' leaves them out. Ray gets an environment under .cache the first time.
test-cluster: $(INSTALLED)
	$(RUN) -m tests.cluster $(CLUSTER)

# Clients and servers with each other, MobileNet on a server for AArch64 under QEMU, a hundred thousand broken
# conversations: writes docs/reports/rpc.md. RPC='--count 1000' makes fewer, and no page.
test-rpc: wheel-aarch64
	$(RUN) -m tests.rpc $(RPC)

# Compilers of the past, each in an environment of its own, build artifacts that they and tvmgo run:
# all of them, or those of OLD=0.19; with GENERATED=100 graphs of operators drawn by chance as well.
old-artifacts: $(INSTALLED)
	GENERATED=$(GENERATED) $(RUN) -m tests.old_compilers $(OLD)

# What is exported today, run by the runtimes of the same compilers, for each level of x86-64, beside
# tvmgo: MODELS='--versions 0.19 --random 100 a.onnx' takes other releases and models.
old-runtimes: $(INSTALLED)
	$(RUN) -m tests.old_runtimes $(MODELS)

# Exports for another processor, run by QEMU; needs Debian's qemu-user, gcc-aarch64-linux-gnu and
# libc6-dev-arm64-cross, clang and lld. With MobileNet.
aarch64: $(INSTALLED)
	TVMGO_CROSS=all $(RUN) -m pytest tests/compiler/test_aarch64.py

# The compilers that `tvmgo compiler install` brings, over a network: each compiles a model.
compilers: $(INSTALLED)
	$(RUN) -m tests.environments $(CACHE)/compilers

# Real models, collected, exported, compared with ONNX Runtime and timed: writes docs/reports/models.md, in an
# hour or two. MODELS='--only ResNet --compiler relay' takes some of it.
models: $(INSTALLED)
	$(RUN) -m tests.real_models $(MODELS)

# Exports by TVM 0.19, which gets an environment of its own the first time.
relay: $(INSTALLED)
	$(RUN) -m tvmgo.compiler install relay
	$(RUN) -m pytest tests/compiler/test_relay.py

# Every case of ONNX's backend suite, exported and run beside what it expects: writes docs/reports/operators.md, in
# a quarter of an hour. OPERATORS='--compiler relay resize*' takes some of it by another compiler.
operators: $(INSTALLED)
	$(RUN) -m tests.onnx_suite $(OPERATORS)

# Models that frameworks write, in environments of their own, exported and compared with what the frameworks say:
# writes docs/reports/frameworks.md. FRAMEWORKS='cnn mlp.tflite' takes some of them. Then estimators of scikit-learn and
# LightGBM: writes docs/reports/estimators.md, and ESTIMATORS='SVC Ridge' takes some. Then the article of 2019, from TensorFlow.
test-frameworks: $(INSTALLED)
	TVMGO_COMPILERS=$(CURDIR)/$(CACHE)/compilers $(RUN) -m tests.frameworks $(FRAMEWORKS)
	$(RUN) -m tests.estimators $(ESTIMATORS)
	$(RUN) -m tests.article

# Quantised and half-precision models in every form, beside ONNX Runtime; its quantisers get an environment of their own.
# QUANTISED='LSTM dynamic' takes those whose names hold one of these words.
quantised: $(INSTALLED)
	$(RUN) -m tests.quantised $(QUANTISED)

# Random models by the thousand, beside ONNX Runtime and between pages without access: half an hour or
# more. RANDOM_MODELS='--first 7 --count 1 --show' makes one of them again.
random-models: $(INSTALLED)
	$(RUN) -m tests.random_models $(RANDOM_MODELS)

clean:
	rm -rf $(VENV) $(CACHE) build tvmgo/_core/*.so
