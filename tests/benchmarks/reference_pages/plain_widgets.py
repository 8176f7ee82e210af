"""Eighty plain widgets in four columns: a form of the playground's size, drawn with nothing around it."""

import streamlit as st

for number, column in enumerate(st.columns(4)):
    with column:
        for row in range(10):
            st.text_input(f"Text {number}.{row}", key=f"text-{number}-{row}")
            st.number_input(f"Number {number}.{row}", value=None, key=f"number-{number}-{row}")
st.toggle("Switch", key="switch")
st.button("Run", key="run")
