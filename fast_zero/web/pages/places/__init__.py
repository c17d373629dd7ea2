"""Projects, labels, saved filters and search: where todos are found."""
