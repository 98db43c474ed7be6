"""Pictures for the stories: a drawn sea, a lighthouse and a sky, each story's in its own colours."""

from hashlib import sha1
from string import Template

_SEA = Template("""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 675" width="1200" height="675">
<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl($hue,45%,35%)"/>
<stop offset="1" stop-color="hsl($warm,70%,78%)"/></linearGradient></defs>
<rect width="1200" height="675" fill="url(#sky)"/><circle cx="$sun" cy="300" r="70" fill="#fff4d6"/>
<path d="M0 430 Q300 390 600 430 T1200 430 V675 H0Z" fill="hsl($hue,40%,28%)"/>
<path d="M0 520 Q200 480 400 520 T800 520 T1200 520 V675 H0Z" fill="hsl($hue,45%,20%)"/>
<path d="M$house 470 l18 -220 h44 l18 220z" fill="#f7f3ea"/>
<rect x="$house" y="225" width="80" height="26" fill="#b33"/>
</svg>
""")


def picture(name: str) -> bytes:
    """The SVG of a story."""
    digest = sha1(name.encode()).digest()
    hue = 170 + digest[0] % 80
    fields = {"hue": hue, "warm": digest[1] % 60, "sun": 200 + digest[2] * 3, "house": 900 - digest[3] * 3}
    return _SEA.substitute(fields).encode()
