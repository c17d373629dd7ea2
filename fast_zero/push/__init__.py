"""Owns the push subscriptions of browsers, and sends notifications to them (Web Push).

A subscription is visible to its owner alone, and its endpoint and keys to nobody. Promises one push
for each new notification, encrypted for the browser, and to connect to public addresses only.
"""
