"""A table of 200 cells that can be pressed, with nothing around it: Streamlit itself waits 150 ms after a press before it tells of it."""

import streamlit as st

rows = [{"row": f"{row}", **{f"column {column}": "an answer that begins like this" for column in range(10)}} for row in range(20)]
st.dataframe(rows, key="grid", on_select="rerun", selection_mode="single-cell", hide_index=True, row_height=35, height=480)
st.caption(str(st.session_state["grid"]))
