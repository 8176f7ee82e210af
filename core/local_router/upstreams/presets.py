"""Where the usual servers listen, by their documentation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """What a form is filled with. ``api_key_env`` is empty where no key is usual."""

    label: str
    name: str
    base_url: str
    api_key_env: str = ""


PRESETS: tuple[Preset, ...] = (
    Preset("Ollama", "ollama", "http://127.0.0.1:11434"),
    Preset("llama.cpp", "llamacpp", "http://127.0.0.1:8080"),
    Preset("LM Studio", "lmstudio", "http://127.0.0.1:1234"),
    Preset("vLLM", "vllm", "http://127.0.0.1:8000"),
    Preset("LiteLLM", "litellm", "http://127.0.0.1:4000"),
    Preset("OpenAI", "openai", "https://api.openai.com", "OPENAI_API_KEY"),
)
