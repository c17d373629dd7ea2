"""The metrics of posts."""

from prometheus_client import Counter

POSTS = Counter("fast_zero_posts_written", "Posts that were written.", ["operation"])
CREATED = POSTS.labels("create")
UPDATED = POSTS.labels("update")
DELETED = POSTS.labels("delete")
