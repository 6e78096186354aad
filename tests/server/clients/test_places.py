"""Where clients keep their configuration, on three systems, with the paths of those systems."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from vettle.engine.errors import InvalidArgument
from vettle.server.clients.catalogue import CLIENTS, find
from vettle.server.clients.entries import installed, is_from_cache

HOME = PureWindowsPath(r"C:\Users\me")
ROOT = PureWindowsPath(r"D:\repo")


def _user(name: str, home: PureWindowsPath | PurePosixPath, platform: str, **environment: str) -> str:
    (client,) = find([name])
    assert client.user is not None
    if isinstance(home, PureWindowsPath):
        return str(client.user.below(ROOT, home, environment, platform))
    return str(client.user.below(PurePosixPath("/repo"), home, environment, platform))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("claude", r"C:\Users\me\.claude.json"),
        ("cursor", r"C:\Users\me\.cursor\mcp.json"),
        ("copilot", r"C:\Users\me\AppData\Roaming\Code\User\mcp.json"),
        ("copilot-cli", r"C:\Users\me\.copilot\mcp-config.json"),
        ("windsurf", r"C:\Users\me\.codeium\windsurf\mcp_config.json"),
        ("devin", r"C:\Users\me\AppData\Roaming\devin\mcp_config.json"),
        ("continue", r"C:\Users\me\.continue\mcpServers\vettle.yaml"),
        ("codex", r"C:\Users\me\.codex\config.toml"),
        ("gemini", r"C:\Users\me\.gemini\settings.json"),
    ],
)
def test_users_files_on_windows(name: str, path: str) -> None:
    """Below the profile, or below %APPDATA% where the client is a desktop application."""
    assert _user(name, HOME, "win32") == path
    assert _user(name, HOME, "win32", APPDATA=r"C:\Users\me\AppData\Roaming") == path


def test_a_projects_file_on_windows_is_below_its_root() -> None:
    """Forward slashes of the catalogue become the system's own."""
    paths = {
        client.name: str(client.project.below(ROOT, HOME, {}, "win32"))
        for client in CLIENTS
        if client.project
    }
    assert paths["continue"] == r"D:\repo\.continue\mcpServers\vettle.yaml"
    assert paths["copilot"] == r"D:\repo\.vscode\mcp.json"


def test_users_files_on_macos_and_linux() -> None:
    """VS Code follows the system's custom; Devin and the command lines do not."""
    mac, linux = PurePosixPath("/Users/me"), PurePosixPath("/home/me")
    assert _user("copilot", mac, "darwin") == "/Users/me/Library/Application Support/Code/User/mcp.json"
    assert _user("copilot", linux, "linux") == "/home/me/.config/Code/User/mcp.json"
    assert _user("copilot", linux, "linux", XDG_CONFIG_HOME="/cfg") == "/cfg/Code/User/mcp.json"
    assert _user("devin", linux, "linux", XDG_CONFIG_HOME="/cfg") == "/home/me/.config/devin/mcp_config.json"
    assert _user("devin", mac, "darwin") == "/Users/me/.config/devin/mcp_config.json"


def test_a_client_that_was_told_another_folder_is_found_there() -> None:
    """The environment variables with which people move a client's home are respected."""
    home = PurePosixPath("/home/me")
    assert _user("codex", home, "linux", CODEX_HOME="/c") == "/c/config.toml"
    assert _user("copilot-cli", home, "linux", COPILOT_HOME="/c") == "/c/mcp-config.json"
    assert _user("claude", home, "linux", CLAUDE_CONFIG_DIR="/c") == "/c/.claude.json"
    assert _user("continue", home, "linux", CONTINUE_GLOBAL_DIR="/c") == "/c/mcpServers/vettle.yaml"


def test_the_command_is_this_installation(tmp_path: Path) -> None:
    """The program that runs, else the one beside the interpreter, else the interpreter with -m; never one by name."""
    interpreter = tmp_path / "bin/python"
    (tmp_path / "bin").mkdir()
    assert installed("/usr/bin/pytest", str(interpreter), "linux") == (str(interpreter), "-m", "vettle")
    for name, platform in (("vettle", "linux"), ("vettle.exe", "win32")):
        program = tmp_path / "bin" / name
        program.touch(mode=0o755)
        assert installed("pytest", str(interpreter), platform) == (str(program),)
        elsewhere = tmp_path / name
        elsewhere.touch(mode=0o755)
        assert installed(str(elsewhere), str(interpreter), platform) == (str(elsewhere),)


def test_the_launcher_of_windows_takes_the_ending_off_its_name(tmp_path: Path) -> None:
    r"""Started as Scripts\\vettle, the program beside it is meant, also where the interpreter is in another folder."""
    program = tmp_path / "vettle.exe"
    program.touch(mode=0o755)
    assert installed(str(tmp_path / "vettle"), str(tmp_path / "bin/python.exe"), "win32") == (str(program),)


def test_a_command_in_the_cache_of_uvx_is_told_from_an_installed_one() -> None:
    """It works today and not after the cache was cleaned."""
    assert is_from_cache(("/home/me/.cache/uv/archive-v0/x1/bin/vettle",))
    assert not is_from_cache(("/home/me/.local/share/uv/tools/vettle/bin/vettle",))


def test_clients_are_known_by_the_names_that_people_give_them() -> None:
    """In any case, and each once."""
    found = find(["VSCode", "claude-code", "Claude", "gemini-cli", "copilot"])
    assert [client.name for client in found] == ["claude", "copilot", "gemini"]


def test_a_name_that_is_no_client_is_refused_with_the_nearest_one() -> None:
    """The names that are valid are listed."""
    with pytest.raises(InvalidArgument, match=r"codex, gemini\. Did you mean 'cursor'\?"):
        find(["cursr"])
