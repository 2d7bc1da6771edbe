"""The script that Streamlit runs for every visit: which pages there are."""

from actwin.dashboard.pages import show

show()
