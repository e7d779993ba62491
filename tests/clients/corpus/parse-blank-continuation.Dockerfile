FROM busybox
ENV A=1 \

    B=2 \


    # a comment
    C=3
RUN true && \
    # indented comment
	# after a tab
    echo x >/f
