# One image for the web server, the stream worker and operators' commands: docs/deploy.md.
# The Python version is that of the tests and of the Lambda function.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN ["python", "-m", "venv", "/venv"]
COPY requirements.lock ./
# Install only wheels, so no compiler is needed. The hashes ensure that they are the tested files. The lock is complete, so
# pip resolves no dependencies.
RUN ["/venv/bin/python", "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--require-hashes", \
     "-r", "requirements.lock"]
COPY manage.py ./
COPY cruddur cruddur
COPY users users
COPY messaging messaging
COPY moderation moderation
COPY legacy_import legacy_import
COPY templates templates
COPY static static
# Build hashed and compressed static files. The settings require these variables, but the image does not keep them.
# Compile the modules now, because the file system is read-only later.
RUN CRUDDUR_ENV=production SECRET_KEY=of-this-step-alone-and-as-long-as-the-settings-ask-for APP_URL=https://localhost \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /venv/bin/python -m compileall -q -j 0 /app /venv

FROM python:3.11-slim-bookworm AS app
# The version that /healthz shows: the commit.
ARG VERSION=
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CRUDDUR_ENV=production CRUDDUR_VERSION=$VERSION
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# The only writable directory of a container. Declared as a volume so that Fargate keeps it writable for all users.
VOLUME ["/tmp"]
# An unprivileged user without files or a login name.
USER 10001:10001
EXPOSE 8000
# Checks only the web server's process, not its databases. Ignores the container's proxy variables.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as To; to = To('127.0.0.1', 8000, timeout=2); \
         to.request('GET', '/healthz'); exit(to.getresponse().status != 200)"]
# On stop, the server ends streams at once and waits up to 20 s for requests. The settings (BEHIND_PROXY) handle proxy
# headers, not uvicorn.
CMD ["python", "-m", "uvicorn", "cruddur.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "on", \
     "--no-proxy-headers", "--no-server-header", "--timeout-graceful-shutdown", "20"]

# Only for compose.yaml: the emulator with its guard, the script that creates its user pool, and a directory for the
# resulting settings.
FROM app AS local
USER 0
COPY requirements/local.lock ./
RUN ["/venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", \
     "--require-hashes", "-r", "local.lock"]
COPY tools/__init__.py tools/
COPY tools/local_stack tools/local_stack
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "700", "/local"]
USER 10001:10001

# Last, so that it is the default target.
FROM app
