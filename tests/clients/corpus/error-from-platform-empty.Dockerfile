#: needs newer BuildKit
#: refused empty platform value from expression \$BULIDPLATFORM \(did you mean BUILDPLATFORM\?\)
FROM --platform=$BULIDPLATFORM busybox
