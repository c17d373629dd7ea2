"""Lists of todos, a todo beside its list, and what is done to them."""
