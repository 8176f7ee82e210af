"""The least a Streamlit page can be: what a start costs before any of ours."""

import streamlit as st

st.text_area("Prompt", key="prompt")
st.button("Run", key="run")
