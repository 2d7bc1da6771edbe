// Tells Streamlit where its server is; else it looks below the address of the page first, where nothing answers.
window.__streamlit = { BACKEND_BASE_URL: window.location.origin };
