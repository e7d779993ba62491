#: needs here-documents
FROM busybox
ENV V=value
COPY <<-"EOF" /quoted
	one $V
		two "q" 'r' \x
	EOF
COPY <<-EOF /expanded
	${V} ${NONE:-none} "$V" '$V' \$V \\
	EOF
COPY <<E1 <<"E2" /both/
$V
E1
$V
E2
