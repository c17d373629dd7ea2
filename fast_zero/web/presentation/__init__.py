"""How pages show things: days, rows, people, sentences. No request, no SQL."""
