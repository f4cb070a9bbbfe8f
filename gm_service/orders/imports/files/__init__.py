"""The files of imports: reading what a clerk uploads, and writing the template and the file of failed rows."""
