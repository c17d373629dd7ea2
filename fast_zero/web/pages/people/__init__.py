"""The feed, posts, profiles and notifications."""
