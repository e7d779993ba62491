FROM busybox
LABEL a=1 b="two words" "c d"="e f" g=h\ i
LABEL j one two
LABEL multi="line \
continues"
LABEL a=2 k=$PATH l='$PATH' m=""
LABEL com.example.x-y_z=1
