#: refused base name .* should not be blank
ARG NOTHING
FROM $NOTHING
