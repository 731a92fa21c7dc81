# One image for every part: `aftervisit web`, `worker`, `beat`. What is installed is what the two
# lock files name, each package held to its hash; the build asks the package index for nothing else.
FROM python:3.11-slim AS build

WORKDIR /build
COPY requirements-uv.lock requirements.lock ./
RUN python -m venv /opt/tools \
 && /opt/tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-uv.lock \
 && python -m venv --without-pip /opt/aftervisit \
 && /opt/tools/bin/uv pip install --no-cache --no-build --compile-bytecode --python /opt/aftervisit/bin/python --require-hashes -r requirements.lock

# --offline: uv builds the wheel with the backend it carries itself.
COPY pyproject.toml README.md LICENSE ./
COPY messages messages
COPY schedules schedules
COPY service service
RUN /opt/tools/bin/uv pip install --no-cache --offline --no-deps --compile-bytecode --python /opt/aftervisit/bin/python .


# No uv, no pip of ours, no compiler: the interpreter and what runs.
FROM python:3.11-slim

RUN groupadd --gid 10001 aftervisit \
 && useradd --uid 10001 --gid aftervisit --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin aftervisit

COPY --from=build /opt/aftervisit /opt/aftervisit

# Nothing is written outside /tmp; the root file system may be read-only.
ENV PATH=/opt/aftervisit/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["aftervisit"]
CMD ["--help"]
