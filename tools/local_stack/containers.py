"""Create the user pool of compose.yaml on its emulator, and write its settings to `CRUDDUR_LOCAL_DIR/env`."""

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import os
import secrets
import sys
from pathlib import Path

from cruddur.environment import Environment, Misconfigured
from cruddur.net import bypass_proxies

from .cognito_pool import ensure_pool
from .environment import read_env, write_env
from .key import read_key
from .problem import Problem


def main() -> int:
    """Create the pool and return the exit code. Failures print a sentence."""
    argparse.ArgumentParser(prog="tools.local_stack.containers", description=__doc__).parse_args()
    bypass_proxies()
    try:
        env = Environment(os.environ)
        file = env.directory("CRUDDUR_LOCAL_DIR", Path(".local")) / "env"
        if (key := read_key(file.with_name("key"))) is None:
            raise Problem(f"There is no {file.with_name('key')} yet: the emulator makes it when it starts.")
        os.environ.update(key.environment())
        endpoint_url = env.required("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
        pool = ensure_pool(
            endpoint_url=endpoint_url,
            public_url=endpoint_url,
            region=env.required("AWS_REGION"),
            app_urls=[env.required("APP_URL")],
        )
    except (Misconfigured, Problem) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    # Kept, so that people stay signed in after a restart.
    secret_key = read_env(file).get("SECRET_KEY") or secrets.token_urlsafe(48)
    write_env(file, {"SECRET_KEY": secret_key, **key.environment(), **pool.environment()})
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False))
