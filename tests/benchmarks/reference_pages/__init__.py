"""Small Streamlit pages that do what the playground does, the plain way: the references that figures stand beside."""
