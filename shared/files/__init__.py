"""Where finished exports are kept: a folder that all hosts share, or an S3-compatible store."""
