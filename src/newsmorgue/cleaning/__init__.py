from newsmorgue.cleaning.article import STORY_KINDS, Article, Block, BlockKind, Found, PageKind
from newsmorgue.cleaning.clean import clean
