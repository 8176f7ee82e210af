import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.settings import OLLAMA_BASE_URL, ORQ_BASE_URL, Settings


def test_without_environment_the_defaults_hold(tmp_path):
    settings = Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path)})
    assert settings.orq_api_key is None
    assert settings.orq_base_url == ORQ_BASE_URL
    assert settings.openai_base_url == OLLAMA_BASE_URL
    assert settings.local_pace == 80.0


def test_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    environ = {"PLAYGROUND_DATA_DIR": str(tmp_path / "new")}
    first, second = Settings.from_environment(environ), Settings.from_environment(environ)
    assert first.secret.get_secret_value() == second.secret.get_secret_value()
    assert len(first.secret.get_secret_value()) >= 32
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600


def test_secret_file_that_a_killed_process_left_empty_is_filled(tmp_path):
    (tmp_path / "secret").touch()
    environ = {"PLAYGROUND_DATA_DIR": str(tmp_path)}
    first, second = Settings.from_environment(environ), Settings.from_environment(environ)
    assert first.secret.get_secret_value() == second.secret.get_secret_value()


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path):
    with ThreadPoolExecutor(16) as starting:
        made = list(
            starting.map(lambda number: Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path / str(number // 8))}), range(800))
        )
    secrets = [one.secret.get_secret_value() for one in made]
    assert len(set(secrets)) == 100


def test_data_directory_that_cannot_be_written_still_gives_a_secret(tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings = Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path / "file")})
    assert len(settings.secret.get_secret_value()) >= 32


def test_v1_at_the_end_of_openai_base_url_is_taken_off(tmp_path):
    settings = Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path), "OPENAI_BASE_URL": "https://api.openai.com/v1/"})
    assert settings.openai_base_url == "https://api.openai.com"


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf"])
def test_unusable_pace_is_refused_by_name(tmp_path, text):
    with pytest.raises(ValueError, match="PLAYGROUND_LOCAL_PACE"):
        Settings.from_environment({"PLAYGROUND_DATA_DIR": str(tmp_path), "PLAYGROUND_LOCAL_PACE": text})


def test_routers_configuration_may_be_elsewhere_and_must_be_there(tmp_path):
    file = tmp_path / "mine.toml"
    environ = {"PLAYGROUND_DATA_DIR": str(tmp_path), "PLAYGROUND_ROUTER_CONFIG": str(file)}
    with pytest.raises(ValueError, match="PLAYGROUND_ROUTER_CONFIG"):
        Settings.from_environment(environ)
    file.touch()
    assert Settings.from_environment(environ).router_config == file


def test_folder_of_presets_must_be_there(tmp_path):
    environ = {"PLAYGROUND_DATA_DIR": str(tmp_path), "PLAYGROUND_PRESETS_DIR": str(tmp_path / "presets")}
    with pytest.raises(ValueError, match="PLAYGROUND_PRESETS_DIR"):
        Settings.from_environment(environ)
    (tmp_path / "presets").mkdir()
    assert Settings.from_environment(environ).presets_dir == tmp_path / "presets"


def test_keys_show_in_no_representation(tmp_path):
    settings = Settings.from_environment(
        {
            "PLAYGROUND_DATA_DIR": str(tmp_path),
            "ORQ_API_KEY": "canary-orq",
            "OPENAI_API_KEY": "canary-openai",
            "PLAYGROUND_SECRET": "canary-s",
        }
    )
    assert "canary" not in repr(settings) + str(settings)
