# The commands in a container, for x86-64 and 64-bit ARM. Build in the top folder of the project:
#
#   docker build --tag image-gender-classifier .
#
# docs/install.md shows how to run it; .ci/image tests it.

FROM debian:trixie-slim AS python
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/cache/apt/* /var/lib/apt/lists/*

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-pip python3-venv
WORKDIR /source
COPY . .
# Extras of pyproject.toml, with commas between them: --build-arg EXTRAS=heif,parquet
ARG EXTRAS=""
# hadolint ignore=DL3013
RUN python3 -m venv --without-pip /opt/image-gender-classifier \
    && PIP_CONSTRAINT=constraints.txt pip --python /opt/image-gender-classifier/bin/python install \
        --no-cache-dir --no-compile ".${EXTRAS:+[$EXTRAS]}"
# Large parts of the libraries that the commands never load.
# hadolint ignore=DL3003
RUN cd /opt/image-gender-classifier/lib/python3*/site-packages \
    && rm -rf ai_edge_litert/libLiteRt*.so ai_edge_litert/tools ai_edge_litert/vendors \
        cv2/data/*.xml numpy/f2py numpy/tests numpy/*/tests \
    && find . -name '*.pyi' -delete
# The container cannot write bytecode: without it, each start would compile the modules again. The
# run compiles those of the libraries that it imports, and proves that they work.
RUN /opt/image-gender-classifier/bin/python -m compileall -q \
        /opt/image-gender-classifier/lib/python3*/site-packages/image_gender_classifier \
    && mkdir /predictions \
    && /opt/image-gender-classifier/bin/image-gender-classifier -i docs/samples -o /predictions

FROM python
LABEL org.opencontainers.image.title="image-gender-classifier" \
      org.opencontainers.image.description="Classifies the perceived gender of the person in each picture of a folder" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause"
COPY --from=build /opt/image-gender-classifier /opt/image-gender-classifier
ENV PATH=/opt/image-gender-classifier/bin:$PATH
# `docker run --user` names the owner of the output folder instead.
USER 65532:65532
ENTRYPOINT ["image-gender-classifier"]
# /out does not exist in the image: a run that forgets to mount it fails instead of losing its results.
CMD ["--input", "/pictures", "--output", "/out"]
