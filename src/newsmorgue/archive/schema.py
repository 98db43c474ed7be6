"""The catalogue's tables.

Rows of every table but ``files``, ``counters``, ``health``, ``holds`` and ``schedule``, and of every column not marked
*derived* below, follow from the objects alone: captures from CDXJ, the rest from the journal's events in the order of
``seq``.
``archive.replay`` is the one place that turns events into rows, for the live archive and for ``morgue reindex`` alike.

Times are whole microseconds since 1970-01-01 UTC. A ``warc`` or ``journal`` column holds an object's *name* (its
file stem), never its place.
"""

import sqlalchemy as sa

metadata = sa.MetaData()
# A literal, not a parameter: only then do databases see that a query is within the index of payloads.
RESPONSE: sa.ColumnElement[str] = sa.literal_column("'response'")


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable and not primary_key, primary_key=primary_key)


sources = sa.Table(
    "sources",
    metadata,
    _text("slug", primary_key=True),
    _text("home"),
    _time("created_at"),
    # How often a changed date in a feed or sitemap told the truth: see archive.replay.dates_are_trusted.
    sa.Column("date_hits", sa.Integer, nullable=False, default=0),
    sa.Column("date_misses", sa.Integer, nullable=False, default=0),
    # an operator said that no scheduler is to crawl it
    _time("paused_at", nullable=True),
)

runs = sa.Table(
    "runs",
    metadata,
    _text("id", primary_key=True),
    _text("source"),
    _text("kind"),
    _text("host"),
    _time("started_at"),
    _time("ended_at", nullable=True),
    _text("outcome", nullable=True),
    _text("counts", nullable=True),
    sa.Index("runs_source", "source", "started_at"),
)

urls = sa.Table(
    "urls",
    metadata,
    _text("source", primary_key=True),
    _text("key", primary_key=True),
    _text("url"),
    _text("role"),
    _text("found_in"),
    _time("found_at"),
    sa.Column("hops", sa.Integer, nullable=False),
    _text("outcome", nullable=True),
    _time("outcome_at", nullable=True),
    _text("detail", nullable=True),
    sa.Column("failures", sa.Integer, nullable=False),
    _text("etag", nullable=True),
    _text("last_modified", nullable=True),
    # of a page: when it showed a story last, how often another text of it than before, and when that was last
    _time("seen_at", nullable=True),
    sa.Column("edits", sa.Integer, nullable=False, server_default="0"),
    _time("edited_at", nullable=True),
    # derived: when to look (null: not again by itself) and why, and which run has it in hand
    _time("due_at", nullable=True),
    _text("reason"),
    _text("claimed_by", nullable=True),
    sa.Index("urls_due", "source", "role", "due_at"),
    sa.Index("urls_claimed", "claimed_by"),
    sa.Index("urls_seen", "source", "seen_at"),
    sa.Index("urls_moved", "detail"),
)

mentions = sa.Table(
    "mentions",
    metadata,
    _text("source", primary_key=True),
    _text("key", primary_key=True),
    _text("found_in", primary_key=True),
    _text("given"),
    _text("stated", nullable=True),
    _time("at"),
)

captures = sa.Table(
    "captures",
    metadata,
    _text("surt", primary_key=True),
    sa.Column("timestamp", sa.BigInteger, primary_key=True),
    _text("warc", primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    _text("source"),
    _text("url"),
    _text("kind"),
    _text("role"),
    sa.Column("status", sa.Integer, nullable=False),
    _text("mime", nullable=True),
    _text("payload_digest", nullable=True),
    _text("refers_to_url", nullable=True),
    _time("refers_to_time", nullable=True),
    _text("truncated", nullable=True),
    # 'uncleaned' until an outcome names the capture; null where there is nothing to clean
    _text("state", nullable=True),
    # what the site asked of archives, miners and AI crawlers
    _text("reserved", nullable=True),
    sa.Index("captures_place", "warc", "offset", unique=True),
    sa.Index("captures_state", "source", "state"),
    sa.Index(
        "captures_payload",
        "source",
        "payload_digest",
        sqlite_where=sa.column("kind") == RESPONSE,
        postgresql_where=sa.column("kind") == RESPONSE,
    ),
)

files = sa.Table(
    "files",
    metadata,
    _text("name", primary_key=True),
    _text("source"),
    _text("host"),
    _text("state"),
    _time("opened_at"),
    sa.Column("warc_length", sa.BigInteger, nullable=False),
    sa.Column("journal_length", sa.BigInteger, nullable=False),
    # the manifest's bytes, from the moment its place in the source's chain is fixed
    _text("manifest", nullable=True),
    sa.Column("chain_position", sa.Integer, nullable=True),
    sa.Index("files_source", "source", "state"),
)

# Where a compacted file's bytes are now: at these offsets within the file ``into``, which may itself have moved on.
moves = sa.Table(
    "moves",
    metadata,
    _text("name", primary_key=True),
    _text("into"),
    sa.Column("warc_offset", sa.BigInteger, nullable=False),
    sa.Column("journal_offset", sa.BigInteger, nullable=False),
)

stories = sa.Table(
    "stories",
    metadata,
    _text("id", primary_key=True),
    _text("source"),
    _text("canonical"),
    _text("claimed", nullable=True),
    _text("claimed_key", nullable=True),
    _text("syndicated_from", nullable=True),
    _time("created_at"),
    _text("merged_into", nullable=True),
    # the story that it was part of until an operator said that it is not: the two are not merged again
    _text("split_from", nullable=True),
    _time("gone_at", nullable=True),
    sa.Index("stories_claimed", "claimed_key"),
    sa.Index("stories_merged", "merged_into"),
    sa.Index("stories_source", "source", "created_at"),
)

aliases = sa.Table(
    "aliases",
    metadata,
    _text("url", primary_key=True),
    _text("key"),
    _text("story"),
    _text("kind"),
    _time("since"),
    sa.Index("aliases_key", "key"),
    sa.Index("aliases_story", "story"),
)

versions = sa.Table(
    "versions",
    metadata,
    _text("id", primary_key=True),
    _text("story"),
    _time("created_at"),
    sa.Index("versions_story", "story"),
)

texts = sa.Table(
    "texts",
    metadata,
    _text("version", primary_key=True),
    _text("reading", primary_key=True),
    _text("digest"),
    _text("headline", nullable=True),
    _text("kind", nullable=True),
    # as the page says it
    _text("published", nullable=True),
    # of the body alone; null in rows that were made before this column
    sa.Column("characters", sa.Integer, nullable=True),
    _text("journal"),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

sightings = sa.Table(
    "sightings",
    metadata,
    _text("warc", primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("version"),
    _text("url"),
    _time("at"),
    sa.Index("sightings_version", "version", "at"),
)

# Snapshots of what a source repeats on its stories (lines in JSON, never changed), and how many stories it had when it
# was last looked at.
memory = sa.Table(
    "memory",
    metadata,
    _text("source", primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _text("lines"),
    sa.Column("stories", sa.Integer, nullable=False),
    _time("at"),
)

# Derived, all three: what all crawls know of a host (``name:port``), and of an authority's robots.txt.
hosts = sa.Table(
    "hosts",
    metadata,
    _text("host", primary_key=True),
    _time("free_at", nullable=True),
    _time("held_until", nullable=True),
    sa.Column("latency", sa.Float, nullable=True),
)

# Which runs ask a host, and until when they count as doing so.
askers = sa.Table(
    "askers",
    metadata,
    _text("host", primary_key=True),
    _text("asker", primary_key=True),
    _time("until"),
)

robots = sa.Table(
    "robots",
    metadata,
    _text("authority", primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=True),
    _time("fetched_at", nullable=True),
    _time("failed_since", nullable=True),
    _text("located", nullable=True),
    _text("etag", nullable=True),
    _text("last_modified", nullable=True),
    _time("changed_at", nullable=True),
)

# Where the DOM is that a browser made of a captured page: a ``resource`` record, which is in no index.
renderings = sa.Table(
    "renderings",
    metadata,
    _text("warc", primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("dom_warc"),
    sa.Column("dom_offset", sa.BigInteger, nullable=False),
    sa.Column("dom_length", sa.BigInteger, nullable=False),
    sa.Index("renderings_dom", "dom_warc"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    _time("at"),
    _text("action"),
    _text("subject"),
    _text("detail", nullable=True),
)

# What the operator was told of each source's health, which is in no journal: see health.state.
health = sa.Table(
    "health",
    metadata,
    _text("source", primary_key=True),
    _text("condition"),
    _time("since"),
    _text("change"),
    _text("told", nullable=True),
    _time("telling_at", nullable=True),
)

# Which run is at a source, see archive.holds; and when a source is due by its timetable, see schedule.plans.
holds = sa.Table(
    "holds",
    metadata,
    _text("source", primary_key=True),
    _text("kind", primary_key=True),
    _text("run"),
    _text("place"),
    _time("until"),
)

schedule = sa.Table(
    "schedule",
    metadata,
    _text("source", primary_key=True),
    _text("timetable"),
    _time("next_at", nullable=True),
)

counters = sa.Table(
    "counters",
    metadata,
    _text("name", primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

# What does not follow from the objects, whole tables and columns: places, counts, pace, plans, and who is told of what.
NOT_OF_OBJECTS = frozenset({"files", "counters", "health", "hosts", "askers", "robots", "holds", "schedule"})
DERIVED = {"urls": frozenset({"due_at", "reason", "claimed_by"})}
