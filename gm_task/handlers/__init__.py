"""The handlers that are shipped: `/app/func` is `func` of the file app.py here."""
