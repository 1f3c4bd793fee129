#!/usr/bin/env python3
"""Deploys template.yaml, unchanged, to ministack and follows one order to its mail.

The bundle's other tests run it on `local`, which knows AWS only as far as its
authors do. Here somebody else's emulator reads the same template with the same
client that deploys to an account, runs the functions' own binaries and holds
them to the policies the template gives them.

    python3 -m pip install -r tests/ministack/requirements.txt
    python3 tests/ministack/run.py

What it does not show, for ministack leaves it out: what becomes of a mail (its SES
publishes no events, and like AWS it lets nobody else publish them), the architecture
(functions run as this machine's binaries), point-in-time recovery, and `RecursiveLoop`,
without which a mailing of many pages is stopped.

Exits with 0 when exactly one mail has arrived; otherwise says what failed, and
where ministack's log is.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
# Beside this interpreter, so that a virtual environment need not be activated.
TOOLS = Path(sys.executable).parent
STACK = "cartwire-test"
REGION = "eu-central-1"

# Long enough for a stream to be polled, two queues and cold debug binaries.
MAIL_DEADLINE_S = 90
# A second mail would come from a message handed on twice: as soon as the first.
SECOND_MAIL_S = 10


def say(text):
    print(f"  {text}", flush=True)


def stage(folder, bootstraps, functions):
    """Lays out what `sam deploy` reads: the template as it is, and each binary where it looks."""
    shutil.copyfile(ROOT / "template.yaml", folder / "template.yaml")
    for name in functions:
        code = folder / "target" / "lambda" / name
        code.mkdir(parents=True)
        bootstrap = code / "bootstrap"
        shutil.copy(bootstraps / name, bootstrap)
        # Debug binaries are mostly debug information. A stand-in may be a script.
        if bootstrap.open("rb").read(4) == b"\x7fELF":
            subprocess.run(["strip", bootstrap], check=True)


def build(functions):
    packages = [argument for name in functions for argument in ("--package", name)]
    subprocess.run(["cargo", "build", "--locked", "--bins", *packages], cwd=ROOT, check=True)
    return ROOT / "target" / "debug"


@contextlib.contextmanager
def ministack(folder):
    """Runs ministack on a free port of this machine alone; gives the environment to reach it with."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "SAM_CLI_TELEMETRY": "0",
    }
    server_environment = {
        **environment,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        # Holds each function to the policies of its role.
        "AUTH": "true",
        # Ports of its own, open to every interface, that nothing here uses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Its unpacked functions go when the folder goes.
        "TMPDIR": str(folder),
    }
    with open(folder / "ministack.log", "w") as log:
        server = subprocess.Popen(
            [TOOLS / "ministack"], env=server_environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_until_healthy(server, environment["AWS_ENDPOINT_URL"])
        yield environment
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_healthy(server, endpoint):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit("ministack did not start")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.2)
    raise SystemExit("ministack is not healthy after 60 s")


def deploy(folder, environment):
    bucket = f"{STACK}-code"
    client("s3", environment).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    command = [TOOLS / "sam", "deploy", "--stack-name", STACK, "--s3-bucket", bucket]
    command += ["--region", REGION, "--capabilities", "CAPABILITY_IAM", "--no-progressbar"]
    with open(folder / "deploy.log", "w") as log:
        result = subprocess.run(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    if result.returncode != 0:
        print((folder / "deploy.log").read_text()[-4000:])
        raise SystemExit("sam deploy failed")
    stack = client("cloudformation", environment).describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


# What ministack asks for and AWS does not. SES is let send as one identity and with
# one configuration set by the template, of which ministack knows neither. To send a
# batch to a queue takes `sqs:SendMessage` on AWS; ministack asks for an action of the
# call's own name. Every other permission is the template's.
ASKED_BY_MINISTACK_ALONE = {
    "sender": "ses:SendEmail",
    "fan-out": "sqs:SendMessageBatch",
    "timers": "sqs:SendMessageBatch",
    "mass-messaging": "sqs:SendMessageBatch",
    "product-changes": "sqs:SendMessageBatch",
    "manage": "sqs:SendMessageBatch",
    "backfill": "sqs:SendMessageBatch",
}


def grant_what_ministack_asks(environment):
    for function, action in ASKED_BY_MINISTACK_ALONE.items():
        name = f"{STACK}-{function}"
        role = client("lambda", environment).get_function_configuration(FunctionName=name)["Role"]
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        client("iam", environment).put_role_policy(
            RoleName=role.rsplit("/", 1)[-1],
            PolicyName="as-ministack-asks",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        say(f"granted {function} {action} on *, as ministack asks for it")


def client(service, environment):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def create_key(environment, function):
    request = {"create_key": {"name": "ministack", "scopes": ["ingest", "manage"]}}
    answer = client("lambda", environment).invoke(
        FunctionName=function, Payload=json.dumps(request).encode()
    )
    payload = answer["Payload"].read().decode()
    if "FunctionError" in answer or "key" not in (parsed := json.loads(payload)):
        raise SystemExit(f"no key from {function}: {payload}")
    return parsed["key"]


class Api:
    """The HTTP API, by the host name its URL has; ministack answers for that on its own port."""

    def __init__(self, environment, url, key):
        self.endpoint = environment["AWS_ENDPOINT_URL"]
        self.host = f"{url.removeprefix('https://').split('.')[0]}.execute-api.localhost"
        self.key = key

    def call(self, method, path, body=None, key=None):
        request = urllib.request.Request(
            self.endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Host": self.host,
                "Authorization": f"Bearer {self.key if key is None else key}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def put(self, path, body):
        status, answer = self.call("PUT", path, body)
        if status not in (200, 201, 202, 204):
            raise SystemExit(f"PUT {path} answered {status}: {answer}")
        say(f"PUT {path}: {status}")


def mails(environment):
    url = f"{environment['AWS_ENDPOINT_URL']}/_ministack/ses/messages"
    with urllib.request.urlopen(url, timeout=10) as response:
        accounts = json.load(response)["messages"]
    return [mail for account in accounts.values() for mail in account]


def wait_for_one_mail(environment):
    started = time.monotonic()
    while not (arrived := mails(environment)):
        if time.monotonic() - started > MAIL_DEADLINE_S:
            raise SystemExit(f"no mail after {MAIL_DEADLINE_S} s")
        time.sleep(0.5)
    say(f"a mail after {time.monotonic() - started:.1f} s; waiting {SECOND_MAIL_S} s for a second one")
    time.sleep(SECOND_MAIL_S)
    arrived = mails(environment)
    if len(arrived) != 1:
        raise SystemExit(f"{len(arrived)} mails arrived, and not one")
    return arrived[0]


def follow_an_order(environment, outputs):
    # An identity is verified by its owner, outside the template.
    client("sesv2", environment).create_email_identity(EmailIdentity="shop@example.com")
    grant_what_ministack_asks(environment)
    key = create_key(environment, outputs["ManageFunction"])
    say("created a key")
    api = Api(environment, outputs["ApiUrl"], key)
    status, answer = api.call("GET", "/v1/templates", key="cw_nobody")
    if status not in (401, 403):
        raise SystemExit(f"a made-up key is answered {status}: {answer}")
    say(f"a made-up key is refused: {status}")
    api.put(
        "/v1/templates/order-confirmation",
        {
            "subject": "Order {{order.id}}",
            "html": "<p>Thank you, {{customer.first_name}}</p>",
        },
    )
    api.put(
        "/v1/campaigns/order-confirmation",
        {
            "name": "Order confirmation",
            "status": "active",
            "trigger": {"type": "order_created"},
            "steps": [{"send": {"template": "order-confirmation"}}],
        },
    )
    api.put(
        "/v1/customers/c-1",
        {"email": "ada@example.com", "first_name": "Ada", "consent": {"email": "granted"}},
    )
    api.put(
        "/v1/orders/o-1",
        {
            "customer_id": "c-1",
            "updated_at": "2026-11-22T10:00:00Z",
            "currency": "EUR",
            "total": "49.90",
            "lines": [
                {
                    "id": "1",
                    "product_id": "p-1",
                    "name": "Mug",
                    "quantity": 2,
                    "price": "24.95",
                    "total": "49.90",
                }
            ],
        },
    )
    mail = wait_for_one_mail(environment)
    if mail["To"] != ["ada@example.com"]:
        raise SystemExit(f"the mail went to {mail['To']}")
    say("exactly one mail, to the order's customer")


def main():
    parser = argparse.ArgumentParser(description="Deploy template.yaml to ministack and follow one order to its mail.")
    parser.add_argument(
        "--bootstraps",
        type=Path,
        metavar="DIR",
        help="folder of binaries, one per function and of its name; by default they are built into target/debug",
    )
    arguments = parser.parse_args()
    template = (ROOT / "template.yaml").read_text()
    functions = re.findall(r"CodeUri: target/lambda/([a-z-]+)/", template)
    bootstraps = arguments.bootstraps or build(functions)

    folder = Path(tempfile.mkdtemp(prefix="cartwire-ministack-"))
    stage(folder, bootstraps, functions)
    say(f"staged {len(functions)} functions")
    try:
        with ministack(folder) as environment:
            say(f"ministack at {environment['AWS_ENDPOINT_URL']}")
            started = time.monotonic()
            outputs = deploy(folder, environment)
            say(f"deployed in {time.monotonic() - started:.0f} s")
            follow_an_order(environment, outputs)
    except BaseException:
        print(f"its log: {folder / 'ministack.log'}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
