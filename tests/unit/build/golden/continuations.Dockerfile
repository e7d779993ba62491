FROM busybox
RUN echo one && \
# a comment inside

    # and an indented one
    echo two \   
    && echo three
   ENV A=1 \
       B="two words" \
       C='single $quoted' D=with\ space
LABEL "key with space"="v" plain=x
ENV OLD the old form
