# One image for the web server, the stream worker and operators' commands: docs/deploy.md.
# Python is the version that the tests run on, and the Lambda function's.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN ["python", "-m", "venv", "/venv"]
COPY requirements.lock ./
# Wheels alone: nothing is compiled, and no compiler is needed. The hashes say that they are the ones that were tested; the
# lock has all that is needed, so pip looks for nothing else.
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
# Static files named by their content, compressed: settings ask for these variables, and nothing of them stays.
# And modules compiled, as nothing can be written later.
RUN CRUDDUR_ENV=production SECRET_KEY=of-this-step-alone-and-as-long-as-the-settings-ask-for APP_URL=https://localhost \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /venv/bin/python -m compileall -q -j 0 /app /venv

FROM python:3.11-slim-bookworm AS app
# What /healthz calls it: the commit.
ARG VERSION=
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 CRUDDUR_ENV=production CRUDDUR_VERSION=$VERSION
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
# What a container may write in, mounted over its read-only files; named, so that Fargate leaves it open to everybody.
VOLUME ["/tmp"]
# Owns nothing here, and has no name to log in with.
USER 10001:10001
EXPOSE 8000
# Without a proxy, whatever the container is told of one. Of the web server; the process alone, whatever its databases do.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as To; to = To('127.0.0.1', 8000, timeout=2); \
         to.request('GET', '/healthz'); exit(to.getresponse().status != 200)"]
# Told to stop, it ends streams at once, waits for requests as long, and leaves what says where they come from to the
# settings (BEHIND_PROXY).
CMD ["python", "-m", "uvicorn", "cruddur.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "on", \
     "--no-proxy-headers", "--no-server-header", "--timeout-graceful-shutdown", "20"]

# For compose.yaml alone: the emulator behind its guard, what makes a user pool on it, and a place for what the site reads
# of both.
FROM app AS local
USER 0
COPY requirements/local.lock ./
RUN ["/venv/bin/python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", \
     "--require-hashes", "-r", "local.lock"]
COPY tools/__init__.py tools/
COPY tools/local_stack tools/local_stack
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "700", "/local"]
USER 10001:10001

# Last, so that it is what is built when nothing is said.
FROM app
