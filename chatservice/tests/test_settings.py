"""Configuration from the environment and `.env`, good and bad, as a command shows it."""

import os
import re
import stat
import subprocess
import sys

import pytest
from django.conf import settings

from chatservice.environment import Environment
from conftest import ROOT, manage


@pytest.mark.parametrize(
    "bad",
    [
        {
            ("DEBUG", "maybe"): ("E002", "DEBUG=on or DEBUG=off"),
            ("PORT", "http"): ("E003", "PORT=8000"),
            ("MAX_UPLOAD_MB", "0"): ("E003", "MAX_UPLOAD_MB=25"),
            ("ALGORITHM", "none"): ("E004", "HS256, HS384, HS512"),
            ("MEDIA_STORAGE", "ftp"): ("E004", "local, s3"),
            ("ALLOWED_HOSTS", "chat.example.org"): ("E006", "openssl rand"),
            ("CSRF_TRUSTED_ORIGINS", "chat.example.org"): ("E008", "https://chat.example.org"),
            ("METRICS_TOKEN", "short"): ("E009", "16 or more"),
        },
        {
            ("PORT", "65536"): ("E003", "PORT=8000"),
            ("ACCESS_TOKEN_EXPIRE_MINUTES", "-5"): ("E003", "ACCESS_TOKEN_EXPIRE_MINUTES=30"),
            ("ALGORITHM", "RS256"): ("E004", "HS256, HS384, HS512"),
            ("MEDIA_STORAGE", "s3"): ("E007", "S3_BUCKET"),
            ("ALLOWED_HOSTS", "localhost,*"): ("E006", "openssl rand"),
            ("CORS_ALLOWED_ORIGINS", "https://a.example/path"): ("E008", "no path"),
        },
        {("DATA_DIR", "/dev/null/data"): ("E005", "that this user may write to")},
    ],
)
def test_every_bad_value_is_a_system_check_with_a_hint(bad):
    result = manage("check", **dict(bad.keys()))

    assert result.returncode == 1
    told = re.findall(r"\(chatservice\.(\w+)\) (.*)\n\s*HINT: (.*)", result.stderr)
    assert len(told) == len(bad)
    for (name, _value), (identifier, hint) in bad.items():
        about = "SECRET_KEY must be set" if name == "ALLOWED_HOSTS" else name
        assert [
            each for each in told if each[0] == identifier and about in each[1] and hint in each[2]
        ], f"{name}: {result.stderr}"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_secret_is_not_shown_by_a_complaint(command):
    result = manage(command, S3_SECRET_ACCESS_KEY="hush", SECRET_KEY="hush", ALGORITHM="hush")

    assert result.returncode == 1
    assert "hush" not in result.stdout + result.stderr


def test_serve_refuses_a_public_host_without_a_key_in_one_line():
    result = manage("serve", ALLOWED_HOSTS="chat.example.org")

    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: SECRET_KEY must be set")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"ALLOWED_HOSTS": "chat.example.org", "SECRET_KEY": "a text that somebody has chosen " * 2},
        {"ALLOWED_HOSTS": "chat.example.org", "DEBUG": "on"},
        {"ALLOWED_HOSTS": "localhost,[::1]"},
    ],
)
def test_a_key_is_only_asked_for_where_it_matters(variables):
    assert manage("check", **variables).returncode == 0


def test_servers_that_run_no_checks_refuse_bad_settings_too():
    result = subprocess.run(
        [sys.executable, "-c", "import chatservice.asgi"],
        cwd=ROOT,
        env={**os.environ, "ALGORITHM": "none"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert result.returncode == 1
    assert "ImproperlyConfigured: ALGORITHM is not supported." in result.stderr


def test_processes_that_start_at_once_agree_on_one_generated_key(tmp_path):
    show = "from django.conf import settings; print(settings.SECRET_KEY)"
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "chatservice.settings",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", show], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    keys = {process.communicate(timeout=180)[0].strip() for process in processes}

    [key] = keys
    assert len(key) == 50
    file = tmp_path / "data" / "secret_key"
    assert file.read_bytes() == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == ["secret_key"]


def test_the_environment_wins_over_the_file_and_an_empty_value_is_the_default(
    tmp_path, monkeypatch
):
    (tmp_path / ".env").write_text(
        "HOST=from-file\nPORT=9000\nDATABASE_NAME='with space'\nSECRET_KEY=a$b${c}\nREDIS_URL=x\n"
    )
    monkeypatch.setenv("HOST", "from-environment")
    monkeypatch.setenv("REDIS_URL", "")
    for name in ("PORT", "DATABASE_NAME", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)

    environment = Environment.load(tmp_path / ".env")

    assert environment.text("HOST") == "from-environment"
    assert environment.integer("PORT", 8000, minimum=1, maximum=65535) == 9000
    assert environment.text("DATABASE_NAME") == "with space"
    assert environment.text("SECRET_KEY") == "a$b${c}"
    assert environment.text("REDIS_URL", "none") == "none"
    assert environment.problems == []


def test_a_file_that_cannot_be_read_is_a_problem_and_no_traceback(tmp_path):
    (tmp_path / ".env").write_bytes(b"HOST=\xff\xfe\n")

    [problem] = Environment.load(tmp_path / ".env").problems

    assert problem.id == "chatservice.E001"


def test_the_example_and_the_readme_list_every_setting():
    example = (ROOT / ".env.example").read_text()
    readme = (ROOT / "README.md").read_text()
    listed = re.findall(r"^([A-Z0-9_]+)=", example, re.MULTILINE)

    assert len(listed) == len(set(listed))
    assert set(listed) == settings.ENVIRONMENT.names
    assert {name for name in settings.ENVIRONMENT.names if f"`{name}`" not in readme} == set()


def test_the_example_states_the_defaults():
    from dotenv import dotenv_values

    spelled_out = Environment(dotenv_values(ROOT / ".env.example", interpolate=False))
    silent = Environment({})

    for environment in (spelled_out, silent):
        assert environment.words("ALLOWED_HOSTS", settings.LOCAL_HOSTS) == settings.LOCAL_HOSTS
        assert environment.integer("PORT", 8000, minimum=1, maximum=65535) == 8000
        assert environment.integer("MAX_UPLOAD_MB", 25, minimum=1, maximum=2048) == 25
        assert environment.text("HOST", "127.0.0.1") == "127.0.0.1"
        assert environment.boolean("DEBUG", False) is False
        assert environment.boolean("THROTTLE", True) is True
        assert environment.problems == []


def test_cookies_are_for_https_where_every_known_origin_is():
    show = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, bool(s.SECURE_PROXY_SSL_HEADER))"
    )

    def shown(origins):
        return manage("shell", "--no-imports", "-c", show, CSRF_TRUSTED_ORIGINS=origins).stdout

    assert shown("https://chat.example.org").split() == ["True"] * 3
    assert shown("https://chat.example.org,http://10.0.0.1:8000").split() == ["False"] * 3
    assert shown("").split() == ["False"] * 3
