package auth

// MatchGlob lets tests ask for a match without a whole decision.
var MatchGlob = matchGlob
