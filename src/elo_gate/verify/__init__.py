"""Turns an address into what a site really answers, judged by the standard of the static gate. Reads; changes nothing.

    look.look(url, options)   one look: every path asked once, judged, no repetition
    options.Options           what to look at, and within which bounds

Deploy asks through here again and again until an answer is sure (deploy.smoke); `elo-gate verify` asks once (doors).
"""
