"""The commented ``morgue.toml`` that ``morgue init`` writes: every key, each with its default or an
example.
"""

TEMPLATE = """\
# morgue.toml: what newsmorgue crawls, and where it keeps it.
# Each key can also be an environment variable, which wins: store is MORGUE_STORE, endpoint of [s3] is
# MORGUE_S3_ENDPOINT. A relative path starts at this file's folder.

# A mail or web address, sent with each request: how a site reaches you. Without it nothing but this machine
# is crawled.
# contact = "archive@example.org"

# Where the archive is kept: a folder, or s3://bucket/prefix.
# store = "./archive"

# The database: SQLite or PostgreSQL. Without this key: catalogue.sqlite in the store's folder.
# catalogue = "postgresql://user:password@localhost/newsmorgue"

# Where WARC files grow until they are sealed and stored; local disk, outside the store.
# spool = "./archive-spool"

# A WARC file is sealed, and so stored, at this size or age.
# seal_after = { size = "256 MiB", age = "24 h" }

# A crawl waits while the store is away and the spool holds more than this, or while the spool's disk has less left.
# spool_limit = "20 GiB"
# disk_reserve = "256 MiB"

# Manners: seconds between two requests to one host (this machine itself needs none), and requests to one host at
# the same time.
# delay = 1.0
# concurrency = 4

# When sources are crawled by 'morgue schedule' and 'morgue crawl --due': each so often, or by a cron line
# ("*/15 6-22 * * *"), by the clock of a time zone, never in quiet hours; and how many sources at once. The first three
# can stand in a source's table too.
# every = "1 hour"
# timezone = "UTC"
# quiet_hours = "01:00-05:00"      # or a list of such
# sources_at_once = 4

# Which files are kept with a story's page, so that a replay looks like it: "lead" (its style sheets and the picture
# it leads with), "images" (every picture within the story), "all" (every picture, scripts, icons, fonts) or "none".
# assets = "lead"

# Processes that clean pages. Without this key: one for each processor.
# cleaning_processes = 2

# Where a POST with JSON goes when a source falls ill or recovers: after each crawl, and at 'morgue status --notify'.
# webhook = "https://hooks.example.org/morgue"

# Only for a store in S3. Credentials come from where every AWS tool reads them: AWS_ACCESS_KEY_ID, a profile,
# a role.
# [s3]
# endpoint = "https://s3.example.org"
# region = "eu-central-1"
# checksums = "when_supported"     # or "when_required", for stores that refuse CRC32 trailers

# One table a source. Its name is for ever: the archive's files carry it. Only home is needed; feeds, sitemaps
# and sections are found from there, and what is listed here comes in addition.
# [sources.example]
# home = "https://example.org/"
# feeds = ["https://example.org/news.xml"]
# sitemaps = ["https://example.org/news-sitemap.xml"]
# hosts = ["amp.example.org"]      # other hosts that belong to it
# delay = 2.0
# concurrency = 1
# every = "15 minutes"
# assets = "images"
# spider = "example.py"            # a spider of its own: 'scrapy genspider -t morgue example example.org' writes one
# render = true                    # its pages are made by scripts: needs newsmorgue[browser]
# policy = "metadata"              # of what the site asks not to keep (noarchive, TDM): "nothing", "metadata" or "all"
# dedupe_across_urls = true        # what came under another address before is stored once

# CSS selectors, for what the cleaner gets wrong on a site; each can be left out.
# [sources.example.selectors]
# body = "div.story-text"
# headline = "h1.title"
# summary = "p.lead"
# remove = ["aside", ".promo"]
"""
