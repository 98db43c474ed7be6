"""The theme's own words in both languages: all of it is boilerplate, none of it may reach a story's text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """What the theme says in one language; ``{n}`` stands for a number that differs between requests."""

    site: str
    slogan: str
    home: str
    search: str
    by: str
    published: str
    updated: str
    reading_time: str
    share: str
    share_on: str
    copy_link: str
    advertisement: str
    read_also: str
    newsletter: str
    newsletter_text: str
    your_address: str
    subscribe: str
    tags: str
    about_author: str
    bio: str
    all_their_stories: str
    related: str
    most_read: str
    comments: str
    reply: str
    ago: str
    leave_comment: str
    not_published: str
    comment_field: str
    name_field: str
    email_field: str
    website_field: str
    remember: str
    send: str
    consent: str
    accept: str
    refuse: str
    back_to_top: str
    rights: str
    cookies: str
    legal: str
    about: str
    login: str
    support: str
    photo: str


FRENCH = Words(
    site="Le Fanal",
    slogan="Le quotidien d'Orvane et de la côte",
    home="Accueil",
    search="Rechercher sur le site",
    by="Par",
    published="Publié le",
    updated="mis à jour le",
    reading_time="Temps de lecture : {n} min",
    share="Partager cet article",
    share_on="Partager sur",
    copy_link="Copier le lien",
    advertisement="Publicité",
    read_also="Lire aussi :",
    newsletter="La lettre du matin",
    newsletter_text="Chaque jour à 6 heures, l'essentiel de la côte dans votre boîte. Déjà {n} abonnés.",
    your_address="Votre adresse e-mail",
    subscribe="Je m'inscris",
    tags="Mots-clés :",
    about_author="À propos de l'auteur",
    bio="{name} écrit pour Le Fanal depuis {year}. Pour lui écrire, passez par la rédaction.",
    all_their_stories="Tous ses articles",
    related="Articles similaires",
    most_read="Les plus lus",
    comments="{n} commentaires",
    reply="Répondre",
    ago="il y a {n} minutes",
    leave_comment="Laisser un commentaire",
    not_published="Votre adresse e-mail ne sera pas publiée. Les champs obligatoires sont indiqués avec *",
    comment_field="Commentaire *",
    name_field="Nom *",
    email_field="E-mail *",
    website_field="Site web",
    remember="Enregistrer mon nom et mon e-mail dans le navigateur pour mon prochain commentaire.",
    send="Publier le commentaire",
    consent="Avec nos {n} partenaires, nous utilisons des cookies pour mesurer l'audience et la publicité.",
    accept="Tout accepter",
    refuse="Continuer sans accepter",
    back_to_top="Bouton retour en haut de la page",
    rights="© 2026 Le Fanal. Tous droits réservés.",
    cookies="Politique de cookies",
    legal="Mentions légales",
    about="Qui sommes-nous ?",
    login="Se connecter",
    support="Soutenez un journal indépendant : abonnez-vous à partir de 1 euro",
    photo="Photo :",
)

ENGLISH = Words(
    site="The Lantern",
    slogan="News of Orvane and the coast",
    home="Home",
    search="Search the site",
    by="By",
    published="Published on",
    updated="updated on",
    reading_time="{n} min read",
    share="Share this story",
    share_on="Share on",
    copy_link="Copy link",
    advertisement="Advertisement",
    read_also="Read more:",
    newsletter="The morning letter",
    newsletter_text="Every day at 6 a.m., the coast in your inbox. Join {n} readers.",
    your_address="Your email address",
    subscribe="Sign up",
    tags="Topics:",
    about_author="About the author",
    bio="{name} has written for The Lantern since {year}. Letters are welcome at the news desk.",
    all_their_stories="All their stories",
    related="Related stories",
    most_read="Most read",
    comments="{n} comments",
    reply="Reply",
    ago="{n} minutes ago",
    leave_comment="Leave a comment",
    not_published="Your email address will not be published. Required fields are marked *",
    comment_field="Comment *",
    name_field="Name *",
    email_field="Email *",
    website_field="Website",
    remember="Save my name and email in this browser for the next time I comment.",
    send="Post comment",
    consent="We and our {n} partners use cookies to measure our audience and to show you advertising.",
    accept="Accept all",
    refuse="Continue without accepting",
    back_to_top="Back to top",
    rights="© 2026 The Lantern. All rights reserved.",
    cookies="Cookie policy",
    legal="Legal notice",
    about="About us",
    login="Log in",
    support="Support independent news: subscribe from 1 euro",
    photo="Photo:",
)

WORDS = {"fr": FRENCH, "en": ENGLISH}

SECTIONS = {"monde": "Monde", "tech": "Tech", "world": "World", "culture": "Culture"}

ADVERTS = (
    "Croisières Belmer : l'Ister en sept nuits",
    "Matelas Duvaloup, dormez comme un quai",
    "Assurances Prévaloir, parce que la mer monte",
    "Cirés Toul-Braz -30 % jusqu'à dimanche",
    "Banque du Port : 4,1 % sur votre livret",
    "Café Amiral, torréfié à Port-Sérac",
    "Tondeuses Gazonel, essai gratuit",
)

COMMENTERS = (
    "Marcel29",
    "la_mouette",
    "OldSalt",
    "Jocelyne P.",
    "Kervalien",
    "tidewatcher",
    "Bébert du port",
    "Ada M.",
)

REMARKS = (
    "Enfin quelqu'un qui le dit, bravo pour cet article !",
    "Et pendant ce temps personne ne parle des nids-de-poule de la rue des Drapiers.",
    "I was there on Sunday and it was nothing like this.",
    "Source ? Mon beau-frère travaille là-bas et dit le contraire.",
    "Thank you for the reporting, I have shared it with my class.",
    "Toujours les mêmes qui paient, comme d'habitude.",
    "Could you please stop calling it a gulf, it is a bay.",
)
