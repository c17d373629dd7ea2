"""Owns nothing: it turns a sentence, in English or Portuguese, into a todo.

Each user sees their own projects and labels. Promises that a word is left in the title if it is not
clear what it means, and to say which words became what.
"""
