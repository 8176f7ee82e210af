"""A completion as Streamlit's own tutorials stream one: ``st.write_stream`` in the script. Asks the server named by ``ORQ_BASE_URL``."""

import json
import os
from collections.abc import Iterator

import httpx
import streamlit as st


def pieces(model: str) -> Iterator[str]:
    body = {"model": model, "prompt": "go", "stream": True}
    with httpx.stream("POST", f"{os.environ['ORQ_BASE_URL']}/v1/completions", json=body, timeout=60, trust_env=False) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    yield choice["text"]


model = st.text_input("Model", key="model")
if st.button("Run", key="run"):
    with st.container(key="output"):
        st.write_stream(pieces(model))
