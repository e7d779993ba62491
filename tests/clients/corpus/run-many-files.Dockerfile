FROM busybox
RUN i=0; mkdir /many; while [ $i -lt 300 ]; do echo $i >/many/$i; i=$((i+1)); done
RUN rm /many/*5 && mkdir /many/sub && mv /many/1* /many/sub/
