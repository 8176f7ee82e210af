"""A box with nothing but a heat map of 200 cells and a table of them in it: what a sweep's figures take to be opened."""

import altair
import streamlit as st

ROWS = [{"down": down / 10, "across": across / 10, "tokens out": 300 + down * across} for down in range(20) for across in range(1, 11)]

box = st.expander("Figures", key="figures", on_change="rerun")
if box.open:
    with box:
        chart = altair.Chart(altair.Data(values=ROWS)).mark_rect().encode(x="across:O", y="down:O", color="tokens out:Q")
        st.altair_chart(chart)
        st.dataframe(ROWS, height=420)
